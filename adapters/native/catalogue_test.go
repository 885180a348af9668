package native

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// tricky are names that must be kept as they are, and do nothing.
var tricky = []string{
	"云主机", "🚀👩‍🚀", "<a>&\"'</a>", "]]>", "../../etc/passwd", "'; DROP TABLE native_objects; --", "$(reboot)", "a/b\\c", "%s%n", "kvm1:x", "..",
}

func TestFlavors(t *testing.T) {
	c, _, o := fakeCloud(t)
	for _, name := range tricky {
		f := do(t, c, canonical.CreateFlavor, canonical.FlavorCreate{Name: name, VCPUs: 1, RAMMiB: 64, Description: name})
		if got := do(t, c, canonical.GetFlavor, canonical.FlavorGet{ID: f.ID}); got.Name != name || *got.Description != name {
			t.Errorf("%q became %+v", name, got)
		}
		r := a("by flavor")
		r.Flavor = canonical.Ref(name)
		do(t, c, canonical.DeleteServer, canonical.ServerDelete{ID: create(t, c, r).ID})
		do(t, c, canonical.DeleteFlavor, canonical.FlavorDelete{ID: f.ID})
	}
	code(t, "extra specs that mean nothing", try(t, c, canonical.CreateFlavor, canonical.FlavorCreate{
		Name: "odd", VCPUs: 1, RAMMiB: 64, ExtraSpecs: map[string]string{"hw:cpu_policy": "nonsense"},
	}), canonical.InvalidRequest)
	var made atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if try(t, c, canonical.CreateFlavor, canonical.FlavorCreate{Name: "one", VCPUs: 1, RAMMiB: 64}) == nil {
				made.Add(1)
			}
		})
	}
	wg.Wait()
	if made.Load() != 1 {
		t.Errorf("%d flavors of one name", made.Load())
	}

	for _, f := range do(t, c, canonical.ListFlavors, canonical.FlavorList{}).Items {
		do(t, c, canonical.DeleteFlavor, canonical.FlavorDelete{ID: f.ID})
	}
	crash(t, c)
	if n := len(do(t, openCloud(t, o), canonical.ListFlavors, canonical.FlavorList{}).Items); n != 0 {
		t.Errorf("%d flavors came back", n)
	}
}

// TestExtraSpecs: those of a flavor change, but never to what servers cannot have.
func TestExtraSpecs(t *testing.T) {
	c, _, _ := fakeCloud(t)
	id := do(t, c, canonical.CreateFlavor, canonical.FlavorCreate{Name: "special", VCPUs: 1, RAMMiB: 64, ExtraSpecs: map[string]string{"hw_rng:allowed": "true"}}).ID
	is := func(what string, want map[string]string) {
		t.Helper()
		if diff := cmp.Diff(canonical.FlavorExtraSpecs(want), do(t, c, canonical.GetFlavorExtraSpecs, canonical.FlavorExtraSpecsGet{ID: id})); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", what, diff)
		}
	}
	is("as it was made", map[string]string{"hw_rng:allowed": "true"})
	do(t, c, canonical.SetFlavorExtraSpec, canonical.FlavorExtraSpecSet{ID: id, Key: "hw:boot_menu", Value: "true"})
	do(t, c, canonical.MergeFlavorExtraSpecs, canonical.FlavorExtraSpecsMerge{ID: id, ExtraSpecs: map[string]canonical.Opt[string]{
		"hw_rng:allowed": canonical.Null[string](), "hw:cpu_threads": canonical.Some("1"),
	}})
	is("changed", map[string]string{"hw:boot_menu": "true", "hw:cpu_threads": "1"})
	code(t, "one that hosts do not know", try(t, c, canonical.SetFlavorExtraSpec, canonical.FlavorExtraSpecSet{ID: id, Key: "x:y", Value: "1"}), canonical.InvalidRequest)
	do(t, c, canonical.DeleteFlavorExtraSpec, canonical.FlavorExtraSpecDelete{ID: id, Key: "hw:cpu_threads"})
	code(t, "a delete of what is not there", try(t, c, canonical.DeleteFlavorExtraSpec, canonical.FlavorExtraSpecDelete{ID: id, Key: "hw:cpu_threads"}), canonical.NotFound)
	is("after what was refused", map[string]string{"hw:boot_menu": "true"})
	if f := do(t, c, canonical.UpdateFlavor, canonical.FlavorUpdate{ID: id, Description: canonical.Some("quick")}); *f.Description != "quick" {
		t.Errorf("described as %q", *f.Description)
	}
	code(t, "extra specs of no flavor", try(t, c, canonical.GetFlavorExtraSpecs, canonical.FlavorExtraSpecsGet{ID: "none"}), canonical.NotFound)
}

func TestKeypairs(t *testing.T) {
	c, _, _ := fakeCloud(t)
	for _, name := range tricky {
		k := do(t, c, canonical.CreateKeypair, canonical.KeypairCreate{Name: name, PublicKey: publicKey})
		if got := do(t, c, canonical.GetKeypair, canonical.KeypairGet{ID: k.ID}); got.Name != name || got.PublicKey != publicKey || got.PrivateKey != nil {
			t.Errorf("%q became %+v", name, got)
		}
		r := a("by key")
		r.Keypair = canonical.Ref(name)
		do(t, c, canonical.DeleteServer, canonical.ServerDelete{ID: create(t, c, r).ID})
		do(t, c, canonical.DeleteKeypair, canonical.KeypairDelete{ID: k.ID})
	}
	k := do(t, c, canonical.CreateKeypair, canonical.KeypairCreate{Name: "made"})
	signer, err := ssh.ParsePrivateKey([]byte(*k.PrivateKey))
	if err != nil || !strings.HasPrefix(k.PublicKey, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))) {
		t.Errorf("the halves do not fit: %v", err)
	}
	code(t, "a name that is taken", try(t, c, canonical.CreateKeypair, canonical.KeypairCreate{Name: "made"}), canonical.AlreadyExists)
	code(t, "an X.509 key", try(t, c, canonical.CreateKeypair, canonical.KeypairCreate{Name: "x", Kind: canonical.X509Key}), canonical.Unsupported)
	priv, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := ssh.NewPublicKey(&priv.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	do(t, c, canonical.CreateKeypair, canonical.KeypairCreate{Name: "ecdsa", PublicKey: string(ssh.MarshalAuthorizedKey(pub))})
}

func TestImages(t *testing.T) {
	c, _, _ := fakeCloud(t)
	for _, name := range tricky {
		i := addImage(t, c, name, "raw", file(t, t.TempDir(), "d", []byte(name)))
		i = do(t, c, canonical.UpdateImage, canonical.ImageUpdate{ID: i.ID, Properties: canonical.Some(map[string]canonical.Opt[string]{"k": canonical.Some(name)})})
		if i.Name != name || i.Properties["k"] != name {
			t.Errorf("%q became %+v", name, i)
		}
		r := a("by image")
		r.Image = canonical.Ref(name)
		s := create(t, c, r)
		code(t, "delete of an image in use", try(t, c, canonical.DeleteImage, canonical.ImageDelete{ID: i.ID}), canonical.FailedPrecondition)
		do(t, c, canonical.DeleteServer, canonical.ServerDelete{ID: s.ID})
		do(t, c, canonical.UpdateImage, canonical.ImageUpdate{ID: i.ID, Protected: canonical.Some(true)})
		code(t, "delete of a protected image", try(t, c, canonical.DeleteImage, canonical.ImageDelete{ID: i.ID}), canonical.FailedPrecondition)
		do(t, c, canonical.UpdateImage, canonical.ImageUpdate{ID: i.ID, Protected: canonical.Some(false)})
		do(t, c, canonical.DeleteImage, canonical.ImageDelete{ID: i.ID})
	}
	if left, err := os.ReadDir(filepath.Join(c.opts.Dir, "images")); err != nil || len(left) != 2 { // the image and the lock
		t.Errorf("left: %v, %v", left, err)
	}
}

// TestImageContent: what is uploaded is what is downloaded, whether or not its length
// is told before.
func TestImageContent(t *testing.T) {
	c, _, _ := fakeCloud(t)
	for _, size := range []int{1, 64<<10 + 1, 3<<20 + 7} {
		for _, told := range []int64{int64(size), -1} {
			data := make([]byte, size)
			_, _ = rand.Read(data) // never fails
			i := do(t, c, canonical.CreateImage, canonical.ImageCreate{Name: "content", DiskFormat: "raw"})
			do(t, c, canonical.UploadImage, canonical.ImageUpload{ID: i.ID, Content: &canonical.Content{ReadCloser: io.NopCloser(bytes.NewReader(data)), Size: told}})
			out := do(t, c, canonical.DownloadImage, canonical.ImageDownload{ID: i.ID})
			back, err := io.ReadAll(out.Content)
			if err != nil || !bytes.Equal(back, data) {
				t.Errorf("%d bytes came back as %d: %v", size, len(back), err)
			}
			if err := out.Content.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	i := do(t, c, canonical.CreateImage, canonical.ImageCreate{Name: "empty", DiskFormat: "raw"})
	code(t, "no bytes", try(t, c, canonical.UploadImage, canonical.ImageUpload{ID: i.ID, Content: &canonical.Content{ReadCloser: io.NopCloser(strings.NewReader(""))}}), canonical.InvalidRequest)
}
