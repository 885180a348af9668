package canonical

import (
	"context"
	"reflect"
)

// Project names a project of a cloud: what servers, quotas and access belong to there. It
// is the name of a tenant of dragoman, who uses the project by its account, OwnProject, or
// the cloud's own id of a project that no tenant has.
type Project string

// OwnProject is the word for the project of the account by which a cloud is used.
const OwnProject = "own"

// Projecter is what Clouds implement that know the project which their account uses. It
// is optional; ProjectOf asks for it.
type Projecter interface {
	// Project is the cloud's own id of the project. It may log in the first time, and
	// answers from memory afterwards.
	Project(ctx context.Context) (Project, error)
}

// ProjectOf is the project that c's account uses; "": c does not tell, for it knows
// tenants by their names, or knows none.
func ProjectOf(ctx context.Context, c Cloud) (Project, error) {
	if p, ok := c.(Projecter); ok {
		return p.Project(ctx)
	}
	return "", nil
}

var projectType = reflect.TypeFor[Project]()

// HoldsProjects says whether values of that type name projects.
func HoldsProjects(t reflect.Type) bool { return holds(t, projectType) }

// MapProjects returns a copy of v, a struct, in which f has replaced every project that
// is named. What holds none is shared with v, not copied.
func MapProjects(v any, f func(Project) Project) any {
	return mapTexts(v, projectType, "", func(_, text string) string { return string(f(Project(text))) })
}
