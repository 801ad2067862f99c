topology "ledger" {}

cluster "prod" {
  bootstrap_servers = ["b1:9093"]
  ledger            = "_memory"
}

queue "memory" {
  topic = "_memory" # error: A topic of queueform's own
}

delete "queue" "_memory" {} # error: A topic of queueform's own

queue "by_default" {
  topic = "__queueform" # error: A topic of queueform's own
}
