# One cause is told once, whoever uses what follows from it.
topology "cascade" {}

locals {
  bad     = uppr("x") # error: Call to unknown function
  follows = { a = local.bad, b = 2 }
}

profile "p" {
  partitions = local.follows.a
  config     = { "retention.ms" = local.bad }
}

queue "a" {
  for_each   = toset([local.bad])
  topic      = local.bad
  partitions = local.bad
}

queue "b" {
  profile     = profile.p
  config      = local.follows
  dead_letter = queue.a["x"]

  placement {
    racks = [local.bad]
  }
}

queue "c" {
  topic   = "c.${local.bad}"
  profile = local.bad

  load {
    messages_per_second = local.bad
    message_bytes       = local.bad
  }

  lifecycle {
    ignore_config = [local.bad]
  }
}
