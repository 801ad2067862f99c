topology "forget" {}

queue "orders" {
  topic = "shop.orders"
}

forget "queue" "shop.orders" {} # error: Topic "shop.orders" is declared and forgotten | queue.orders at testdata/forget/a.hcl:4:11

delete "queue" "shop.old" {}

forget "queue" "shop.old" {} # error: Topic "shop.old" is deleted and forgotten | delete.queue["shop.old"] stands at testdata/forget/a.hcl:9:16

forget "queue" "shop.moved" {}

forget "queue" "shop.moved" {} # error: forget.queue["shop.moved"] stands twice

forget "topic" "shop.moved" {} # error: Unknown kind of object "topic"
