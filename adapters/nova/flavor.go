package nova

import (
	"context"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// createFlavor makes a flavor and its extra specs, which are a call of their own in
// Nova (nova.flavor.extra_specs.create); a flavor that did not get them is deleted.
func (c *Cloud) createFlavor(ctx context.Context, r canonical.FlavorCreate) (canonical.TypedReply[canonical.Flavor], error) {
	specs := r.ExtraSpecs
	r.ExtraSpecs = nil
	made, err := canonical.CreateFlavor.Do(ctx, c.Rows(), r)
	if err != nil || len(specs) == 0 {
		return made, err
	}
	set := make(map[string]canonical.Opt[string], len(specs))
	for key, value := range specs {
		set[key] = canonical.Some(value)
	}
	if _, err := canonical.MergeFlavorExtraSpecs.Do(ctx, c.Rows(), canonical.FlavorExtraSpecsMerge{ID: made.Result.ID, ExtraSpecs: set}); err != nil {
		return canonical.TypedReply[canonical.Flavor]{}, c.undoFlavor(ctx, made.Result.ID, err)
	}
	made.Result.ExtraSpecs = specs
	return made, nil
}

// mergeExtraSpecs sets extra specs and takes out those that are null, which are calls of
// their own; and tells them all, where Nova tells what was set.
func (c *Cloud) mergeExtraSpecs(ctx context.Context, r canonical.FlavorExtraSpecsMerge) (canonical.TypedReply[canonical.FlavorExtraSpecs], error) {
	var none canonical.TypedReply[canonical.FlavorExtraSpecs]
	set := map[string]canonical.Opt[string]{}
	for key, value := range r.ExtraSpecs {
		if _, ok := value.Get(); ok {
			set[key] = value
			continue
		}
		_, err := canonical.DeleteFlavorExtraSpec.Do(ctx, c.Rows(), canonical.FlavorExtraSpecDelete{ID: r.ID, Key: key})
		if err != nil && canonical.CodeOf(err) != canonical.NotFound { // the get at the end tells of a missing flavor
			return none, err
		}
	}
	if len(set) > 0 {
		if _, err := canonical.MergeFlavorExtraSpecs.Do(ctx, c.Rows(), canonical.FlavorExtraSpecsMerge{ID: r.ID, ExtraSpecs: set}); err != nil {
			return none, err
		}
	}
	return canonical.GetFlavorExtraSpecs.Do(ctx, c.Rows(), canonical.FlavorExtraSpecsGet{ID: r.ID})
}

func (c *Cloud) setExtraSpec(ctx context.Context, r canonical.FlavorExtraSpecSet) (canonical.TypedReply[canonical.FlavorExtraSpecs], error) {
	made, err := canonical.SetFlavorExtraSpec.Do(ctx, c.Rows(), r)
	if err != nil {
		return made, err
	}
	return canonical.GetFlavorExtraSpecs.Do(ctx, c.Rows(), canonical.FlavorExtraSpecsGet{ID: r.ID})
}

// undoFlavor deletes a flavor for cause; where that fails the error names it.
func (c *Cloud) undoFlavor(ctx context.Context, id canonical.ID, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoLimit)
	defer cancel()
	if _, err := canonical.DeleteFlavor.Do(ctx, c.Rows(), canonical.FlavorDelete{ID: id}); err != nil && canonical.CodeOf(err) != canonical.NotFound {
		e := *canonical.AsError(cause)
		e.Detail += "; flavor " + string(id) + " was made and could not be deleted again"
		return &e
	}
	return cause
}
