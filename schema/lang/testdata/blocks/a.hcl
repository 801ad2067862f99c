topology "blocks" {}

queu "orders" {} # error: Unsupported block type | Did you mean "queue"?

queue "arguments" {
  partition  = 3 # error: Unsupported argument | An argument named "partition" is not expected here
  partitions = "x" # error: Wrong type of value | A number is wanted here, not "x".
  load       = 1 # error: Unsupported argument | Did you mean to define a block of type "load"?

  config { # error: Unsupported block type | If so, use the equals sign
  }

  colour = "red" # error: Unsupported argument | These are: config, dead_letter,

  colours { # error: Unsupported block type | These blocks are: lifecycle, load, placement.
  }

  placement { # error: Unclear placement
    colour { # error: Unsupported block type | No block is; these arguments are: racks, replicas.
    }
  }

  loads { # error: Unsupported block type | Did you mean "load"?
  }

  load { # error: Incomplete load | both messages_per_second and message_bytes
    messages_per_second = 1
  }

  lifecycle {}
  lifecycle {} # error: Duplicate lifecycle block
}

queue { # error: Missing name for queue
}

queue "one" "two" { # error: Extraneous label for queue
}

queue "a b" {} # error: "a b" cannot be a label # error: Not a topic name

queue "" {} # error: "" cannot be a label # error: Not a topic name

external "topic" "payments" {} # error: Unknown kind of object "topic" | external names one of: queue.

delete "queues" "orders" {} # error: Unknown kind of object "queues" | Did you mean "queue"?

colours "top" { # error: Unsupported block type | These blocks are: acl, cluster, consumer_group, delete, external, forget, locals, producer, profile, queue, quota, topology, user, variable.
}
