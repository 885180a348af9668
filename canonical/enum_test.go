package canonical

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
)

// constants are the values of the string constants of each type of this package.
func constants(t *testing.T) map[string][]string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			typ, isName := spec.Type.(*ast.Ident)
			lit, isLit := spec.Values[0].(*ast.BasicLit)
			if isName && isLit && lit.Kind == token.STRING {
				v, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
				out[typ.Name] = append(out[typ.Name], v)
			}
			return true
		})
	}
	return out
}

func texts[T ~string](all []T) []string {
	out := make([]string, len(all))
	for i, v := range all {
		out[i] = string(v)
	}
	return out
}

func TestEnumerationsAreTotal(t *testing.T) {
	declared := constants(t)
	var codes []Code
	for c := range codeInfo {
		codes = append(codes, c)
	}
	for typ, listed := range map[string][]string{
		"ServerStatus":         texts(ServerStatuses),
		"Power":                texts(Powers),
		"ImageStatus":          texts(ImageStatuses),
		"NetworkStatus":        texts(NetworkStatuses),
		"Direction":            texts(Directions),
		"OperationStatus":      texts(OperationStatuses),
		"Code":                 texts(codes),
		"VolumeStatus":         texts(VolumeStatuses),
		"VolumeSnapshotStatus": texts(VolumeSnapshotStatuses),
	} {
		want := slices.Sorted(slices.Values(declared[typ]))
		got := slices.Sorted(slices.Values(listed))
		if len(want) == 0 || !slices.Equal(got, want) {
			t.Errorf("%s: listed %v, declared %v", typ, got, want)
		}
	}
	for _, role := range declared["Role"] {
		if Role(role).rank() == 0 {
			t.Errorf("role %s has no rank", role)
		}
	}
}

func TestRoles(t *testing.T) {
	order := []Role{Reader, Member, Operator, Admin}
	for i, a := range order {
		for j, b := range order {
			if got := a.AtLeast(b); got != (i >= j) {
				t.Errorf("%s.AtLeast(%s) = %v", a, b, got)
			}
		}
	}
	if Role("odd").AtLeast("odd") || Role("").AtLeast(Reader) {
		t.Error("an unknown role may something")
	}
}
