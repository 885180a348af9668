package broker

import (
	"context"
	"slices"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// projects is an account of a cloud to which projects are named as we know them, by the
// tenants that use them, and which hears them by the names that the cloud has. It is the
// one place where the two meet (docs/adr/0010).
type projects struct {
	canonical.Cloud
	v *view
}

// Health implements canonical.Healther.
func (p projects) Health() canonical.Health { return canonical.HealthOf(p.Cloud) }

// Do implements canonical.Cloud.
func (p projects) Do(ctx context.Context, call canonical.Call) (canonical.Reply, error) {
	asks, answers := canonical.HoldsProjects(call.Op.Request), canonical.HoldsProjects(call.Op.Result)
	if !asks && !answers {
		return p.Cloud.Do(ctx, call)
	}
	said := map[canonical.Project]canonical.Project{} // by the cloud's names
	var failure error
	call.Request = canonical.MapProjects(call.Request, func(name canonical.Project) canonical.Project {
		there, err := p.there(ctx, name)
		if err != nil && failure == nil {
			failure = err
		}
		said[there] = name
		return there
	})
	if failure != nil {
		return canonical.Reply{}, failure
	}
	reply, err := p.Cloud.Do(ctx, call)
	if err != nil || reply.Result == nil || !answers {
		return reply, err
	}
	reply.Result = canonical.MapProjects(reply.Result, func(there canonical.Project) canonical.Project {
		if name := said[there]; name != "" && name != canonical.OwnProject {
			return name
		}
		return p.here(ctx, there)
	})
	return reply, nil
}

// there is what the cloud calls the project of that name.
func (p projects) there(ctx context.Context, name canonical.Project) (canonical.Project, error) {
	own := canonical.Project(p.v.tenant)
	switch {
	case name == "":
		return name, nil
	case name != canonical.OwnProject && name != own:
		return p.anothers(ctx, name)
	case !p.v.shared:
		return canonical.OwnProject, nil
	}
	id, err := p.v.b.projectOf(ctx, p.v.m.Name, "", p.Cloud)
	if id == "" { // it knows tenants by their names
		id = own
	}
	return id, err
}

func (p projects) anothers(ctx context.Context, name canonical.Project) (canonical.Project, error) {
	b := p.v.b
	a, err := p.v.m.Open(string(name))
	if err != nil {
		return "", err
	}
	tenant := string(name)
	if a.Shared || a.Cloud == nil {
		tenants, err := b.Store.Tenants(ctx)
		known := slices.ContainsFunc(tenants, func(t canonical.Tenant) bool { return t.Name == tenant })
		switch {
		case err != nil || !known: // the cloud's own name of one that is no tenant's
			return name, err
		case a.Cloud == nil:
			return "", canonical.Invalid("project", "tenant %s has no account on %s", tenant, p.v.m.Name)
		}
		tenant = ""
	}
	id, err := b.projectOf(ctx, p.v.m.Name, tenant, a.Cloud)
	if id == "" {
		id = name
	}
	return id, err
}

// here is our name of what the cloud calls there: the tenant's who uses it; its own where
// nobody does.
func (p projects) here(ctx context.Context, there canonical.Project) canonical.Project {
	b, own := p.v.b, canonical.Project(p.v.tenant)
	if there == "" || there == canonical.OwnProject {
		return own
	}
	id, err := b.projectOf(ctx, p.v.m.Name, p.v.account, p.Cloud)
	if err == nil && id == there {
		return own
	}
	tenants, err := b.Store.Tenants(ctx)
	p.v.warn("read the tenants", err)
	names := each(tenants, func(t canonical.Tenant) canonical.Project {
		a, err := p.v.m.Open(t.Name)
		if err != nil || a.Shared || a.Cloud == nil {
			return ""
		}
		id, err := b.projectOf(ctx, p.v.m.Name, t.Name, a.Cloud)
		p.v.warn("ask for the project of tenant "+t.Name, err)
		return id
	})
	if i := slices.Index(names, there); i >= 0 {
		return canonical.Project(tenants[i].Name)
	}
	return there
}

// projectOf is the project of a tenant's account on a cloud, or of the shared one where
// the tenant is "". It is asked once: an account has one project for as long as it lives.
func (b *Broker) projectOf(ctx context.Context, cloud, tenant string, c canonical.Cloud) (canonical.Project, error) {
	key := account{cloud, tenant}
	if known, ok := b.projects.Load(key); ok {
		id, _ := known.(canonical.Project)
		return id, nil
	}
	id, err := canonical.ProjectOf(ctx, c)
	if err != nil {
		return "", canonical.InCloud(canonical.AsError(err), cloud)
	}
	b.projects.Store(key, id)
	return id, nil
}
