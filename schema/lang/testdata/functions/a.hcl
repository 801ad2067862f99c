topology "functions" {}

queue "a" {
  for_each    = toset(["x", "y"])
  topic       = "f.${each.key}"
  description = "${uper(each.key)}" # error: Call to unknown function | Did you mean "upper"? (In queue.a["x"] and another instance.)
}

queue "b" {
  description = file("missing.txt") # error: function | missing.txt: no such file or directory (only files within
  key         = file("../functions.txt") # error: function | path escapes
  partitions  = duration("7 days") # error: function | unknown unit "days"
  labels = {
    a = bytes("1") # error: function | has no unit
  }
  config = {
    "retention.ms" = range(0, 1, 0) # error: function | step must not be zero
    "segment.ms"   = file(".") # error: function | not a regular file
    "flush.ms"     = file("latin1.txt") # error: function | not UTF-8
  }
}
