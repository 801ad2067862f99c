topology "locals" {}

locals {
  a = local.b # error: Locals in a circle | local.a uses local.b uses local.c uses local.a.
  b = local.c
  c = local.a
  self = "${local.self}x" # error: Locals in a circle | local.self uses local.self.
  late = local.early + 1
  missing = local.erly # error: There is no local.erly | Did you mean "early"?
  whole = keys(local) # error: Locals as a whole
  bad = "x" + 1 # error: Invalid operand
  worse = local.bad + 1
  profiles = profile.x # error: profile cannot be used here
}

locals {
  early = 1
  bad   = 2 # error: Local declared twice | declared at testdata/locals/a.hcl:11:3
}

queue "quiet" {
  topic      = local.a
  partitions = local.worse
  labels     = { x = local.missing }
}

queue "also_quiet" {
  topic      = local.b
  partitions = local.late
}
