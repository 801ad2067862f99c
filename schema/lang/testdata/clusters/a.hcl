# None is chosen: all are evaluated as far as they do not depend on the choice.
topology "clusters" {}

variable "env" { default = "dev" }

cluster "prod" {
  bootstrap_servers = ["b1:9092", "b2:${var.env}"]
  variables         = { env = "prod" }
  sasl {
    mechanism = "PLAN" # error: Unknown SASL mechanism
  }
}

cluster "dev" {
  bootstrap_servers = [local.missing] # error: There is no local.missing
}

queue "q" { topic = cluster.name } # error: cluster cannot be used here | several and no --cluster
