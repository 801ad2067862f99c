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

# Another cluster is not evaluated.
cluster "dev" {
  bootstrap_servers = env("NOT_SET")
}
