# What a block that was lost may declare is not missed elsewhere.
topology "lost" {}

profil "durable" {} # error: Unsupported block type | Did you mean "profile"?

queue "orders" {
  profile    = profile.durable
  partitions = local.many
  key        = 5 / "x" # error: Invalid operand
}
