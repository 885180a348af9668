// Package image keeps the images of native hosts: a record and a file each, in one
// directory of the machine that dragoman runs on. Base images of servers' disks come
// from here; what happens on hosts is the business of others.
//
// An image is made without data ([Store.Create]), gets them once by [Store.Upload] or
// [Store.Import], is read by [Store.Open], counts who builds on it ([Store.Use]) and
// is deleted when nobody does.
//
// # What is trusted
//
// Nothing about the data. The format is told from the content, never from what the
// caller declared ([Inspect]), and files that point to other files, are encrypted,
// could be read as two formats or claim more than the limits are refused before any
// other program sees them. qemu-img then has to agree; it runs with the format given,
// and with limits on processor time, memory, file size and time.
//
// # Oddities
//
//   - raw, iso and qcow2 are kept byte for byte where the hosts take qcow2; all else is
//     converted, and then the image's format, size and checksum are those of the result.
//   - An image declared raw may hold an ISO 9660 file system: installation media are
//     written to disks as they are.
//   - What was under way when the process ended is undone by the next [New]: uploads
//     wait for another try, imports end in error.
//   - One process at a time may use a directory; a second one is refused.
package image
