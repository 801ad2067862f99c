topology "references" {}

variable "partitions" { default = 3 }

variable "hidden" {
  default   = "x"
  sensitive = true
}

locals {
  replicas = 3
  tenants  = { acme = { keep = "7d" } }
}

profile "durable" {}

cluster "a" {}

cluster "b" {}

queue "orders" {
  topic              = orders # error: Unknown variable | Text is written in quotes: "orders".
  partitions         = var.partition # error: There is no var.partition | It is not declared. Did you mean "partitions"?
  replication_factor = local.replcas # error: There is no local.replcas | Did you mean "replicas"?
  profile            = profile.durabel # error: There is no profile.durabel | Did you mean "durable"?
  key                = vra.x # error: Unknown variable | Did you mean "var"?
  dead_letter        = queue.order # error: There is no queue.order | Did you mean "orders"?
  description        = local.tenants.acme.kep # error: There is no local.tenants.acme.kep | It has these: keep. Did you mean "keep"?
}

queue "others" {
  topic              = each.key # error: each cannot be used here | belong to a block with for_each
  partitions         = queue.orders.partitions # error: queue cannot be used here | Only dead_letter
  replication_factor = external.queue.a # error: external cannot be used here
  profile            = "durable" # error: Not a profile | profile.durable, without quotes
  key                = local.tenants["acne"].keep # error: There is no local.tenants["acne"] | Did you mean "acme"?
  dead_letter        = external.queue.nobody # error: There is no external.queue.nobody | It is not declared.
  description        = local.tenants[join("", ["ac", "ne"])].keep # error: Invalid index | It has no key "acne". Did you mean "acme"?
  labels             = { partitions = profile.durable.partitions } # error: Unsupported attribute
}

# One cause, told once.
queue "third" {
  topic = cluster.name # error: cluster cannot be used here | several and no --cluster
}

queue "fourth" {
  topic = cluster.name
}

profile "early" {
  key = "x" # error: Unsupported argument
  partitions = profile.durable # error: profile cannot be used here | Only queues see profiles.
}
