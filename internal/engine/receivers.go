package engine

import (
	"cmp"
	"fmt"
)

// checkReceivers looks at what is told to people and to a SIEM. A name is one of
// both: dead letters and tests are found by it.
func (c *FileConfig) checkReceivers() error {
	if err := c.Notifications.Check(); err != nil {
		return err
	}
	if err := c.SIEM.Check(); err != nil {
		return err
	}
	for i := range c.SIEM.Targets {
		for j := range c.Notifications.Channels {
			if name := c.SIEM.Targets[i].Name; name == c.Notifications.Channels[j].Name {
				return fmt.Errorf("siem: targets[%d]: a channel of notifications is called %s, too", i, name)
			}
		}
	}
	return nil
}

// PublicURL is where people reach the console, for links; "" if nothing says so.
func (c *FileConfig) PublicURL() string {
	public := c.Notifications.PublicURL
	if c.SignIn != nil {
		public = cmp.Or(public, c.SignIn.PublicURL)
	}
	return public
}
