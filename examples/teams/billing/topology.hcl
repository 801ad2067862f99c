# The team that writes invoices for what checkout has sold.
topology "billing" {
  owner = "team-billing"
}

# Of another team: it must be there, and is never altered from here.
external "queue" "orders" {
  topic = "checkout.orders"
}

profile "durable" {
  replication_factor = 3

  config = {
    "min.insync.replicas" = 2
  }
}

queue "invoices" {
  topic      = "billing.invoices"
  profile    = profile.durable
  partitions = 6
  key        = "order id"

  config = {
    "retention.ms" = "-1" # for ever: these are the books
  }

  lifecycle {
    prevent_delete = true
  }
}

queue "payments" {
  topic      = "billing.payments"
  profile    = profile.durable
  partitions = 6
  key        = "order id"

  lifecycle {
    prevent_delete = true
  }
}

queue "reminders" {
  topic       = "billing.reminders"
  profile     = profile.durable
  partitions  = 2
  dead_letter = queue.reminders_dead
}

queue "reminders_dead" {
  topic      = "dlq.billing.reminders"
  profile    = profile.durable
  partitions = 1
}

user "app" {
  for_each = toset(["accountant", "bank", "collector"])
  name     = "billing.${each.key}"
  password = env("${upper(each.key)}_PASSWORD")
}

# Reads orders, and writes an invoice and a reminder together or not at all.
consumer_group "accountant" {
  group_id  = "billing.accountant"
  queues    = [external.queue.orders]
  protocol  = "consumer"
  start     = "earliest"
  principal = user.app["accountant"]
}

producer "accountant" {
  queues           = [queue.invoices, queue.reminders]
  principal        = user.app["accountant"]
  transactional_id = "billing.accountant"
}

producer "bank" {
  queues    = [queue.payments]
  principal = user.app["bank"]
}

consumer_group "books" {
  group_id  = "billing.books"
  queues    = [queue.invoices, queue.payments]
  protocol  = "classic"
  start     = "earliest"
  principal = user.app["accountant"]

  client = {
    "isolation.level" = "read_committed"
  }
}

consumer_group "collector" {
  group_id  = "billing.collector"
  queues    = [queue.reminders]
  protocol  = "share"
  start     = "earliest"
  principal = user.app["collector"]
}
