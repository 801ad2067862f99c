# Replicas over three availability zones, and one queue pinned to brokers.
topology "racks" {}

queue "payments" {
  topic              = "bank.payments"
  partitions         = 6
  replication_factor = 3

  config = {
    "min.insync.replicas" = 2
  }

  placement {
    racks = ["a", "b", "c"]
  }
}

queue "audit" {
  topic = "bank.audit"

  placement {
    replicas = [[1, 2], [2, 3], [3, 1]]
  }
}
