package cloudtest

import (
	"sync"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// testSupport: every operation is declared, what is less than native has a reason,
// and what is not offered is refused with that reason.
func testSupport(k *check) {
	server := sync.OnceValue(func() canonical.ID { return k.server("support") })
	for _, op := range canonical.Ops() {
		s := k.cloud.Support(k.ctx, op)
		switch s.Level {
		case canonical.Native:
		case canonical.Emulated:
			if s.Reason == "" {
				k.errorf("%s: emulated, without saying what is lost", op.Name)
			}
		case canonical.No:
			k.refusal(op, s.Reason, server)
		case canonical.Undeclared:
			k.errorf("%s: nobody declared it", op.Name)
		default:
			k.errorf("%s: unknown level %q", op.Name, s.Level)
		}
		if again := k.cloud.Support(k.ctx, op); again != s {
			k.errorf("%s: the support is %v at first and then %v", op.Name, s, again)
		}
	}
}
