package contract

// Name renames the types of sensitive data: people give names to theirs.
func (c *Contract) Name(id func(string) string) {
	if c == nil {
		return
	}
	rename := func(list []string) {
		for i := range list {
			list[i] = id(list[i])
		}
	}
	for i := range c.Parameters {
		rename(c.Parameters[i].Sensitive)
	}
	for _, bodies := range [...][]Body{c.Requests, c.Responses} {
		for i := range bodies {
			for j := range bodies[i].Fields {
				rename(bodies[i].Fields[j].Sensitive)
			}
		}
	}
}
