topology "two" {} # error: Second topology block | declared at testdata/topology/a.hcl:2:1
