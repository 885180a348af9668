module github.com/dragoman-cloud/dragoman

go 1.26
