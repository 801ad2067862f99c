topology "names" {}

queue "orders" {
  topic = "shop.orders"
}

queue "again" {
  topic = "shop.orders" # error: Topic "shop.orders" is declared twice | queue.orders at testdata/names/a.hcl:4:11 declares it too
}

queue "similar" {
  topic = "shop_orders" # error: Topics that differ only in . and _ | queue.orders at testdata/names/a.hcl:4:11
}

queue "orders" { # error: queue.orders is declared twice | It is declared at testdata/names/a.hcl:3:7
  topic      = "other"
  partitions = 0 # error: Number out of range
}

external "queue" "orders" {
  topic = "shop.orders" # error: Topic "shop.orders" is declared twice
}

external "queue" "orders" {} # error: external.queue.orders is declared twice
