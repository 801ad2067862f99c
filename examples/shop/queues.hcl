queue "orders" {
  topic       = "shop.orders"
  profile     = profile.durable
  partitions  = 12
  key         = "order id"
  dead_letter = queue.orders_dead

  config = {
    "retention.ms"      = "7d"
    "max.message.bytes" = "2MiB"
    "cleanup.policy"    = ["delete"]
  }

  load {
    messages_per_second = 5000
    message_bytes       = "2KiB"
  }

  lifecycle {
    prevent_delete = true
  }
}

queue "orders_dead" {
  topic      = "dlq.shop.orders"
  profile    = profile.durable
  partitions = 3

  config = {
    "retention.ms"      = "30d"
    "max.message.bytes" = "3MiB" # room for the headers that tell where a message was
  }
}

queue "customers" {
  topic      = "shop.customers"
  profile    = profile.durable
  partitions = 6
  key        = "customer id"

  config = {
    "cleanup.policy" = "compact"
  }
}

# One queue for each region.
queue "shipments" {
  for_each   = toset(["eu", "us"])
  topic      = "shop.shipments.${each.key}"
  profile    = profile.durable
  partitions = 6
}
