topology "profile" {}

profile "broken" {
  partitions = 0 # error: Number out of range | from 1 to 100000 is wanted here, not 0.
  for_each   = {} # error: Unsupported argument
  topic      = "x" # error: Unsupported argument
}

profile "broken" {} # error: Profile declared twice

profile "a.b" {} # error: "a.b" cannot be a label

profile "kept" {
  config = { "retention.bytes" = "1GiB" }
}

queue "quiet" {
  profile            = profile.broken
  replication_factor = 3

  placement {
    racks = ["a"]
  }
}

queue "ignoring" {
  profile = profile.kept

  lifecycle {
    ignore_config = [
      "segment.ms",
      "retention.bites", # error: Unknown config key | Did you mean "retention.bytes"?
    ]
  }
}

queue "contradicting" {
  profile = profile.kept

  lifecycle {
    ignore_config = ["retention.bytes"] # error: Declared and ignored | set at testdata/profile/a.hcl:14:
  }
}

queue "agreeing" {
  profile = profile.kept
  config  = { "retention.bytes" = null }

  lifecycle {
    ignore_config = ["retention.bytes"]
  }
}

queue "any" {
  for_each = { a = "kept", b = "lost" }
  topic    = "any.${each.key}"
  profile  = profile[each.value] # error: Invalid index | It has no key "lost". (In queue.any["b"].)
}
