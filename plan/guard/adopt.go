package guard

// adopted finds the change of a live object that was nobody's.
func adopted(s *subject) *Finding {
	if !s.Adopts {
		return nil
	}
	return &Finding{Severity: Blocks, Summary: "it is not this topology's yet: a live object is changed with its adoption"}
}
