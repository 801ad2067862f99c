topology "shop" {
  description = "Order processing"
  owner       = "team-checkout"
}

variable "env" {
  description = "dev, staging or prod"
  default     = "dev"

  validation {
    condition     = contains(["dev", "staging", "prod"], var.env)
    error_message = "env is dev, staging or prod."
  }
}

locals {
  replicas = var.env == "prod" ? 3 : 1
}

cluster "prod" {
  bootstrap_servers = ["b1.example:9093", "b2.example:9093"]
  variables         = { env = "prod" }

  tls {}

  sasl {
    mechanism = "SCRAM-SHA-512"
    username  = "deployer"
    password  = env("KAFKA_PASSWORD")
  }
}

profile "durable" {
  replication_factor = local.replicas

  config = {
    "min.insync.replicas" = max(1, local.replicas - 1)
  }
}
