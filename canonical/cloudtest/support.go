package cloudtest

import (
	"reflect"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// testSupport: every operation is declared, what is less than native has a reason,
// and what is not offered is refused.
func testSupport(k *check) {
	for _, op := range canonical.Ops() {
		s := k.cloud.Support(k.ctx, op)
		switch s.Level {
		case canonical.Native:
		case canonical.Emulated:
			if s.Reason == "" {
				k.errorf("%s: emulated, without saying what is lost", op.Name)
			}
		case canonical.No:
			if s.Reason == "" {
				k.errorf("%s: not offered, without a reason", op.Name)
			}
			_, err := k.cloud.Do(k.ctx, canonical.Call{Op: op, Request: reflect.Zero(op.Request).Interface()})
			k.code(op.Name+", which is not offered", err, canonical.Unsupported)
		case canonical.Undeclared:
			k.errorf("%s: nobody declared it", op.Name)
		default:
			k.errorf("%s: unknown level %q", op.Name, s.Level)
		}
	}
}
