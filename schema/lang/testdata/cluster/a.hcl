# options: --cluster prod
topology "cluster" {}

variable "env" {}

variable "size" {
  type    = number
  default = 1
}

cluster "prod" {
  bootstrap_servers = ["b1:9093", "b2", "http://b3:9092"] # error: Not a bootstrap server | "b2" is not host:port # error: Not a bootstrap server | http
  cluster_id        = env("SECRET") # error: A secret would be shown here
  principal         = "deployer" # error: Not a principal
  open_by_default   = "perhaps" # error: Wrong type of value | True or false
  ledger            = "__consumer_offsets" # error: A topic of Kafka's own | the ledger needs a topic for itself
  description       = 1
  labels            = "x" # error: Wrong type of value
  variables = {
    env  = "prod"
    size = "many" # error: Wrong type for variable size | from cluster.prod
    evn  = 1 # error: No variable "evn" | Did you mean "env"?
    late = local.x # error: Variables not allowed | write it as a literal
  }

  tls {
    ca_fil = "x" # error: Unsupported argument | Did you mean "ca_file"?
  }

  sasl {
    mechanism     = "SCRAM-SHA-521" # error: Unknown SASL mechanism | Did you mean "SCRAM-SHA-512"?
    username      = env("SECRET") # error: A secret would be shown here
    password      = ["x"] # error: Wrong type of value | A secret is a string.
    token         = env("NOT_SET")
    token_url     = "https://x" # error: Two ways to a token
    client_secret = env("NOT_SET") + local.missing # error: There is no local.missing
  }

  capacity {
    max_partitions_per_broker  = 0       # error: Number out of range
    max_bytes_in_per_broker    = "fast"  # error: Not a size
    max_bytes_in_per_partition = "-1MiB" # error: Not a size
    max_disk                   = 1       # error: Unsupported argument
  }
}

cluster "prod" {} # error: Cluster declared twice

cluster "embedded" {} # error: This name is taken

# Another cluster is evaluated as far as it does not depend on the choice.
cluster "dev" {
  bootstrap_servers = env("NOT_SET") # error: A secret would be shown here
  cluster_id        = var.env == "prod" ? 5 : local.id
  principal         = "${cluster.name}" # error: Not a principal
  variables = {
    env  = "dev"
    size = "few" # error: Wrong type for variable size | from cluster.dev
    evn  = 1     # error: No variable "evn"
    late = local.x # error: Variables not allowed
  }

  tls {
    ca_file = "${var.env}.pem"
    key_fil = "x" # error: Unsupported argument
  }

  sasl {
    mechanism = "PLAN" # error: Unknown SASL mechanism
    username  = var.user
    password  = { a = env("NOT_SET") } # error: Wrong type of value
  }
}

cluster "named" {
  bootstrap_servers = [] # error: No bootstrap servers
  principal         = "User:${cluster.name}"
  description       = var.user_password # error: A secret would be shown here

  sasl {
    username = "${cluster.nam}" # error: There is no cluster.nam
  }
}

cluster "single" { bootstrap_servers = "" } # error: Not a bootstrap server

variable "user" { default = 1 }

variable "user_password" { sensitive = true }

locals { id = "x" }
