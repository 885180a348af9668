package memory

import (
	"slices"
	"strconv"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// disk is a volume of a new server: one that is there, or one to be made.
type disk struct {
	volume *volume // that is there
	make   canonical.VolumeCreate
	asked  canonical.ServerVolumeCreate
}

// maxVolumes is how many volumes a server may be made with: each has a place of its own,
// beside the root disk's.
const maxVolumes = 25

// planDisks finds what the volumes of a create are made from, and refuses what cannot
// be, naming the field.
func (c *Cloud) planDisks(p *plan, r canonical.ServerCreate) error {
	if len(r.Volumes) > maxVolumes {
		return canonical.Invalid("volumes", "are more than %d", maxVolumes)
	}
	gib := 0
	for i, asked := range r.Volumes {
		at := "volumes." + strconv.Itoa(i)
		d := disk{asked: asked}
		switch {
		case asked.BootIndex != nil && *asked.BootIndex == 0 && r.Image != "":
			return canonical.Invalid(at+".boot_index", "the image is booted from already")
		case asked.Volume != "" && r.HowMany() > 1:
			return canonical.Invalid(at+".volume", "is one volume, for several servers")
		case asked.Volume != "":
			v, err := named(c.volumes, at+".volume", asked.Volume)
			switch {
			case err != nil:
				return err
			case slices.ContainsFunc(p.disks, func(d disk) bool { return d.volume == v }):
				return canonical.Invalid(at+".volume", "is among the volumes already")
			case v.Status != canonical.VolumeAvailable:
				return canonical.Invalid(at+".volume", "is %s, not available", v.Status)
			case asked.BootIndex != nil && *asked.BootIndex == 0 && !v.Bootable:
				return canonical.Invalid(at+".volume", "is not bootable")
			}
			d.volume = v
		default:
			d.make = canonical.VolumeCreate{SizeGiB: asked.SizeGiB, Type: asked.Type, Image: asked.Image, Snapshot: asked.Snapshot}
			v, err := c.newVolume(d.make)
			if err == nil && (asked.SizeGiB < 1 && asked.Snapshot == "") {
				err = canonical.Invalid("size_gib", "must be at least 1")
			}
			if err != nil {
				return within(err, at)
			}
			gib += v.SizeGiB * r.HowMany()
		}
		p.disks = append(p.disks, d)
	}
	return c.fitsGiB(gib)
}

// within is err about a field of what is at that path.
func within(err error, path string) error {
	e := *canonical.AsError(err)
	fields := make([]canonical.FieldError, len(e.Fields))
	for i, f := range e.Fields {
		fields[i] = canonical.FieldError{Field: path + "." + f.Field, Reason: f.Reason}
	}
	e.Fields = fields
	return &e
}

// giveDisks makes and attaches the volumes of a new server. They are ready when the
// server is.
func (c *Cloud) giveDisks(s *server, disks []disk) {
	for _, d := range disks {
		v := d.volume
		if v == nil {
			made, err := c.newVolume(d.make)
			if err != nil { // the plan has made the like already
				panic(err)
			}
			v = made
			c.volumes[v.ID] = v
		}
		device, err := s.device(d.asked.Device)
		if err != nil { // a place that is taken: any other will do
			device, _ = s.device("")
		}
		s.take(v.ID, device, d.asked.BootIndex, d.asked.DeleteWithServer, "")
		v.rest(canonical.VolumeAttaching)
		c.attached(s, v)
	}
}
