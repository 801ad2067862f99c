topology "placement" {}

queue "both" {
  placement { # error: Unclear placement
    racks    = ["a"]
    replicas = [[1]]
  }
}

queue "neither" {
  placement {} # error: Unclear placement
}

queue "open" {
  placement {
    racks = ["a"] # error: Placement of an unknown number
  }
}

queue "racks" {
  partitions         = 3
  replication_factor = 2

  placement {
    racks = [["a", "b"], ["b", "c"]] # error: Placement and partitions differ | 3 partitions are declared at testdata/placement/a.hcl:21:24, and racks for 2.
  }
}

queue "repeated" {
  placement {
    racks = ["a", "a"] # error: Racks named twice
  }
}

queue "empty" {
  placement {
    racks = [] # error: No racks
  }
}

queue "some_empty" {
  placement {
    racks = [
      ["a"],
      [], # error: No racks
    ]
  }
}

queue "replicas" {
  placement {
    replicas = [
      [1, 2],
      [1.5, 2], # error: Not a list of brokers | Partition 1
      [2, 2], # error: Not a list of brokers | Partition 2
      [-1, 2], # error: Not a list of brokers | Partition 3
      [3], # error: Uneven replicas | Partition 4 has 1 replicas
      [99999999999, 1], # error: Not a list of brokers
    ]
  }
}

queue "none" {
  placement {
    replicas = [] # error: No replicas
  }
}

queue "differing" {
  partitions         = 3
  replication_factor = 3

  placement {
    replicas = [[1, 2], [2, 3]] # error: Placement and partitions differ # error: Placement and replication_factor differ
  }
}

queue "wrong" {
  placement {
    replicas = "1,2" # error: Wrong type of value | A list of broker ids for each partition
  }
}
