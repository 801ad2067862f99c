package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// replace gives a file new contents whole or not at all, and leaves its
// permissions as they are. A symbolic link stays one: the file that it leads
// to is replaced. A device or a pipe, as /dev/stdout may be, is written to. A
// file that is not there yet is made, for its owner alone.
func replace(path string, contents []byte) error {
	if info, err := os.Stat(path); err == nil && info.Mode()&(fs.ModeDevice|fs.ModeNamedPipe) != 0 {
		return os.WriteFile(path, contents, 0) // not renamed over: it would be gone
	}
	mode := fs.FileMode(0o600)
	target, err := filepath.EvalSymlinks(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		target = path
	case err != nil:
		return err
	default:
		info, err := os.Stat(target)
		if err != nil {
			return err
		}
		if info.IsDir() {
			return fmt.Errorf("%s is a directory", path)
		}
		if mode = info.Mode().Perm(); mode&0o200 == 0 {
			return fmt.Errorf("the file is read-only: %w", fs.ErrPermission) // a rename would not mind
		}
	}
	return write(target, contents, mode)
}

func write(path string, contents []byte, mode fs.FileMode) (err error) {
	temporary, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if failed, ok := errors.AsType[*fs.PathError](err); ok {
		return &fs.PathError{Op: "create", Path: path, Err: failed.Err} // the temporary name tells nobody anything
	}
	if err != nil {
		return err
	}
	defer func() {
		temporary.Close()
		if err != nil {
			_ = os.Remove(temporary.Name())
		}
	}()
	if _, err := temporary.Write(contents); err != nil {
		return err
	}
	if err := temporary.Chmod(mode); err != nil {
		return err
	}
	if err := temporary.Sync(); err != nil {
		return err
	}
	if err := temporary.Close(); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), path)
}
