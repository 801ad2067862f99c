topology "each" {}

locals {
  broken = { a = nothing } # error: Unknown variable
}

queue "list" {
  for_each = ["eu", "us"] # error: for_each over a list | toset([...])
}

queue "text" {
  for_each = "eu" # error: for_each over "eu" | a set of strings or a map
}

queue "null" {
  for_each = null # error: for_each has no value
}

queue "numbers" {
  for_each = toset([1, 2]) # error: for_each over set of number
}

queue "hole" {
  for_each = toset(["x", null]) # error: for_each over
}

queue "secret" {
  for_each = toset([env("SECRET")]) # error: A secret would be shown here
}

queue "quiet" {
  for_each = local.broken
}

queue "empty" {
  for_each = {}
}

queue "many" {
  for_each           = toset([for i in range(1000) : format("q%03d", i)])
  topic              = "a b ${each.key}" # error: Not a topic name | (In queue.many["q000"] and 999 other instances.)
  partitions         = each.value # error: Wrong type of value | (In queue.many["q000"] and 999 other instances.)
  replication_factor = 0 # error: Number out of range | not 0.
  config = {
    "segment.ms"   = each.key == "q007" ? "7x" : "7d" # error: Value refused | (In queue.many["q007"].)
    "retention.ms" = "7 days" # error: Value refused
    "vendor.key"   = each.key # warning: Unknown config key
  }
}

queue "same" {
  for_each = toset(["a", "b", "c"])
  topic    = "same" # error: Topic "same" is declared twice | queue.same["a"] at testdata/each/a.hcl:53:14 declares it too, and this is queue.same["b"].
}

queue "dead" {
  for_each    = toset(["a"])
  topic       = "dead.${each.key}"
  dead_letter = queue.quiet["a"]
}

queue "deader" {
  dead_letter = queue.empty["a"] # error: There is no queue.empty["a"]
}
