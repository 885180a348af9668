package facade

import (
	"context"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// projects are the names of tenants' projects, both ways. The zero value leaves all as
// they are.
type projects struct {
	tenants map[canonical.Project]canonical.Project // by how clients know them
	clients map[canonical.Project]canonical.Project // by tenant
}

// projects are the names, where the operation has to do with any.
func (f *Facade) projects(ctx context.Context, op *canonical.Spec) (p projects, err error) {
	if f.o.Tenants == nil || f.o.ProjectOf == nil || !canonical.HoldsProjects(op.Request) && !canonical.HoldsProjects(op.Result) {
		return p, nil
	}
	names, err := f.o.Tenants(ctx)
	if err != nil {
		return p, err
	}
	p.tenants, p.clients = map[canonical.Project]canonical.Project{}, map[canonical.Project]canonical.Project{}
	for _, tenant := range names {
		project := canonical.Project(f.o.ProjectOf(tenant))
		p.tenants[project], p.clients[canonical.Project(tenant)] = canonical.Project(tenant), project
	}
	return p, nil
}

// read is a request of a client, with projects as we name them.
func (p projects) read(req any) any { return renamed(req, p.tenants) }

// show is a result, with projects as clients know them.
func (p projects) show(result any) any { return renamed(result, p.clients) }

func renamed(v any, names map[canonical.Project]canonical.Project) any {
	if len(names) == 0 {
		return v
	}
	return canonical.MapProjects(v, func(p canonical.Project) canonical.Project {
		if other, ok := names[p]; ok {
			return other
		}
		return p
	})
}
