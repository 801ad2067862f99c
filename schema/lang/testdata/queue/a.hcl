topology "queue" {}

queue "numbers" {
  partitions         = 1.5 # error: Number out of range | not 1.5.
  replication_factor = 1e999 # error: Number out of range | not one of hundreds of digits
  topic              = "a b" # error: Not a topic name | "a b"
  key                = ["x"] # error: Wrong type of value | A string is wanted here, not a list.
  description        = profile.none # error: There is no profile.none
  labels             = ["x"] # error: Wrong type of value | A map of strings

  load {
    messages_per_second = 0 # error: Number out of range
    message_bytes       = "2 stones" # error: Not a size | unknown unit "stones"
  }

  lifecycle {
    prevent_delete = "sure" # error: Wrong type of value
    ignore_config  = "retention.ms" # error: Wrong type of value | A list of strings
  }
}

queue "loads" {
  load { # error: Incomplete load
    messages_per_second = null
    message_bytes       = 10
  }
}

queue "dots" {
  topic = ".." # error: Not a topic name
}

queue "internal" {
  topic = "__consumer_offsets" # error: A topic of Kafka's own
}

queue "ledger" {
  topic = "__queueform" # error: A topic of queueform's own
}

queue "own" {
  topic = "__mine"
}

external "queue" "offsets" {
  topic = "__consumer_offsets"
}

external "queue" "long" {
  topic = join("", [for i in range(250) : "x"]) # error: Not a topic name
}
