# The same for all teams.
cluster "prod" {
  bootstrap_servers = ["b1.example:9093", "b2.example:9093"]
  open_by_default   = false # whoever was given nothing may do nothing

  tls {}

  sasl {
    mechanism = "SCRAM-SHA-512"
    username  = "deployer"
    password  = env("KAFKA_PASSWORD")
  }
}
