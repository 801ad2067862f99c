topology "dead" {}

queue "self" {
  dead_letter = queue.self # error: A dead letter to itself
}

queue "dead" {
  for_each = toset(["eu"])
  topic    = "dead.${each.key}"
}

queue "all" {
  dead_letter = queue.dead # error: Not a queue | queue.orders_dead[each.key]
}

queue "text" {
  dead_letter = "dlq" # error: Not a queue | without quotes
}

queue "key" {
  dead_letter = queue.dead["us"] # error: There is no queue.dead["us"] | It has these: eu.
}

queue "good" {
  for_each    = toset(["eu"])
  topic       = "good.${each.key}"
  dead_letter = queue.dead[each.key]
}

queue "nobody" {
  dead_letter = null
}
