package cloudtest

import (
	"reflect"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// testSupport: every operation is declared, what is less than native has a reason,
// and what is not offered is refused with that reason.
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
			k.refusal(op, s.Reason)
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

func (k *check) refusal(op *canonical.Spec, reason string) {
	if reason == "" {
		k.errorf("%s: not offered, without a reason", op.Name)
	}
	_, err := k.cloud.Do(k.ctx, canonical.Call{Op: op, Request: reflect.Zero(op.Request).Interface()})
	k.code(op.Name+", which is not offered", err, canonical.Unsupported)
	if e := canonical.AsError(err); e != nil && e.Code == canonical.Unsupported && !strings.Contains(e.Detail, reason) {
		k.errorf("%s: refused because %q, declared as %q", op.Name, e.Detail, reason)
	}
}
