topology "delete" {}

queue "orders" {
  topic = "shop.orders"
}

delete "queue" "shop.orders" {} # error: Topic "shop.orders" is declared and deleted | queue.orders at testdata/delete/a.hcl:4:11

delete "queue" "shop.old" {}

delete "queue" "shop.old" {} # error: delete.queue["shop.old"] stands twice

delete "queue" "shop old" {} # error: Not a topic name

delete "queue" "__consumer_offsets" { # error: A topic of Kafka's own
  description = "x"
  labels      = 1 # error: Wrong type of value
  topic       = 1 # error: Unsupported argument
}
