package brokers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
)

// home is the repository's testdata/kafka.
func home() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "kafka")
}

// cached makes a directory once for all runs on this machine, outside the
// repository, and anew where what it is made from has changed. Processes that
// want it at the same time wait for the one that makes it.
func cached(name, madeFrom string, fill func(dir string) error) (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(madeFrom))
	dir := filepath.Join(base, "queueform", "kafka", name+"-"+hex.EncodeToString(sum[:4]))
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	lock, err := os.Create(dir + ".lock")
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	return dir, fillAside(dir, fill)
}

// fillAside fills a directory under another name first: it is there whole or not at all.
func fillAside(dir string, fill func(dir string) error) error {
	aside := dir + ".unfinished"
	if err := os.RemoveAll(aside); err != nil { // of a killed process
		return err
	}
	if err := os.Mkdir(aside, 0o755); err != nil {
		return err
	}
	if err := fill(aside); err != nil {
		return errors.Join(err, os.RemoveAll(aside))
	}
	return os.Rename(aside, dir)
}

// brokerJars is the jars of one Kafka version.
func brokerJars(ctx context.Context, version string) (string, error) {
	return jars(ctx, version, "pom.xml", "-Dkafka.version="+version)
}

// toolJars is the jars of Kafka's own command line tools.
func toolJars(ctx context.Context) (string, error) { return jars(ctx, "tools", "tools.xml") }

func jars(ctx context.Context, name, pom string, properties ...string) (string, error) {
	pom = filepath.Join(home(), pom)
	text, err := os.ReadFile(pom)
	if err != nil {
		return "", err
	}
	return cached(name, string(text), func(dir string) error {
		for _, tool := range []string{"java", "mvn"} {
			if _, err := exec.LookPath(tool); err != nil {
				return fmt.Errorf("real Kafka needs Java 17 or newer and Maven; on Debian: apt-get install default-jre-headless maven: %w", err)
			}
		}
		args := append([]string{"-q", "-B", "-f", pom, "dependency:copy-dependencies", "-DoutputDirectory=" + dir}, properties...)
		if out, err := exec.CommandContext(ctx, "mvn", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("mvn %v: %w\n%s", args, err, out)
		}
		return nil
	})
}
