# options: --var team=shop
topology "one" {
  owner       = var.team
  description = 5 < "x" # error: Invalid operand
}
variable "team" {}
