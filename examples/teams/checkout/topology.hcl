# The team that takes orders. Each user may do what its producers and groups need,
# which need not be said, and nothing else.
topology "checkout" {
  owner = "team-checkout"
}

profile "durable" {
  replication_factor = 3

  config = {
    "min.insync.replicas" = 2
  }
}

queue "orders" {
  topic      = "checkout.orders"
  profile    = profile.durable
  partitions = 6
  key        = "order id"

  lifecycle {
    prevent_delete = true # billing reads it
  }
}

queue "carts" {
  topic      = "checkout.carts"
  profile    = profile.durable
  partitions = 6
  key        = "customer id"

  config = {
    "cleanup.policy" = "compact" # the last one of each customer
  }
}

queue "emails" {
  topic       = "checkout.emails"
  profile     = profile.durable
  partitions  = 2
  dead_letter = queue.emails_dead
}

queue "emails_dead" {
  topic      = "dlq.checkout.emails"
  profile    = profile.durable
  partitions = 1
}

user "shop" {
  name     = "checkout.shop"
  password = env("SHOP_PASSWORD")
}

user "mailer" {
  name     = "checkout.mailer"
  password = env("MAILER_PASSWORD")
}

producer "shop" {
  queues                  = [queue.orders, queue.carts, queue.emails]
  principal               = user.shop
  transactional_id_prefix = "checkout.shop-" # each instance has one, and no other team

  quota {
    producer_byte_rate = "1MiB"
  }
}

consumer_group "mailer" {
  group_id  = "checkout.mailer"
  queues    = [queue.emails]
  protocol  = "share"
  start     = "earliest"
  principal = user.mailer
}

consumer_group "undertaker" {
  group_id  = "checkout.undertaker"
  queues    = [queue.emails_dead]
  protocol  = "classic"
  start     = "earliest"
  principal = user.mailer
}
