package facade

import (
	"context"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

// resolve asks the cloud behind for what the candidate rows need to know, be it to
// tell which of them is meant.
func (f *Facade) resolve(ctx context.Context, rows []translate.Candidate, req *translate.Request, env *translate.Env) error {
	for _, c := range rows {
		req.Params = c.Params
		for _, need := range c.Row.Needs {
			if _, known := env.Facts[need.Fact]; known || need.Hear == nil {
				continue
			}
			call, wanted := need.Hear(req)
			if !wanted {
				continue
			}
			call.Request = f.o.IDs.readAll(call.Op, call.Request)
			reply, err := f.do(ctx, call)
			switch code := canonical.CodeOf(err); {
			case err == nil && need.Unshown:
				pick(need, reply.Result, env)
			case err == nil:
				pick(need, f.o.IDs.showAll(call.Op, reply.Result), env)
			case code == canonical.NotFound || code == canonical.Unsupported: // no fact; the codec decides
			default:
				return err
			}
		}
	}
	return nil
}

func pick(need translate.Need, result any, env *translate.Env) {
	if need.Pick != nil {
		result = need.Pick(result, env)
	}
	if result != nil {
		env.Facts[need.Fact] = result
	}
}
