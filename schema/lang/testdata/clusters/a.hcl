# Which of them is not said: nothing of them is evaluated, and nothing is wrong.
topology "clusters" {}

variable "env" { default = "dev" }

cluster "prod" {
  variables = { env = "prod" }
  sasl {
    mechanism = env("NOT_SET")
  }
}

cluster "dev" {
  bootstrap_servers = [local.missing]
}
