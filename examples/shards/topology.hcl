# Many queues of one shape, from one table.
topology "shards" {}

locals {
  tenants = {
    acme   = { partitions = 12, keep = "30d" }
    globex = { partitions = 6, keep = "7d" }
    umbra  = { partitions = 3, keep = "1d" }
  }
}

queue "events" {
  for_each    = local.tenants
  topic       = "events.${each.key}"
  description = "Everything that ${each.key} did"
  partitions  = each.value.partitions
  labels      = { tenant = each.key }

  config = {
    "retention.ms"     = each.value.keep
    "compression.type" = "zstd"
  }
}
