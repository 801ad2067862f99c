package connect

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"

	"github.com/queueform/queueform/schema"
)

// tlsConfig reads the files of the tls block. It is nil where the connection
// is plaintext; AWS_MSK_IAM never is.
func (s *settings) tlsConfig() (*tls.Config, error) {
	block := s.cluster.TLS
	if block == nil {
		if sasl := s.cluster.SASL; sasl == nil || sasl.Mechanism != schema.AWSMSKIAM {
			return nil, nil
		}
		block = &schema.TLS{}
	}
	config := &tls.Config{ServerName: block.ServerName, MinVersion: tls.VersionTLS12}
	if block.CAFile != "" {
		pem, err := s.read("tls.ca_file", block.CAFile)
		if err != nil {
			return nil, err
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, s.problem("tls.ca_file", nil, s.name("tls.ca_file")+" holds no certificate: "+block.CAFile,
				"It takes certificates as PEM, from -----BEGIN CERTIFICATE----- on.")
		}
	}
	if block.CertFile == "" && block.KeyFile == "" {
		return config, nil
	}
	certificate, err := s.clientCertificate(block)
	if err != nil {
		return nil, err
	}
	config.Certificates = []tls.Certificate{certificate}
	return config, nil
}

func (s *settings) clientCertificate(block *schema.TLS) (tls.Certificate, error) {
	const half = "Half a client certificate"
	switch {
	case block.KeyFile == "":
		return tls.Certificate{}, s.problem("tls.cert_file", nil, half, "Set "+s.name("tls.key_file")+" beside "+s.name("tls.cert_file")+".")
	case block.CertFile == "":
		return tls.Certificate{}, s.problem("tls.key_file", nil, half, "Set "+s.name("tls.cert_file")+" beside "+s.name("tls.key_file")+".")
	}
	certificate, err := s.read("tls.cert_file", block.CertFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	key, err := s.read("tls.key_file", block.KeyFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return tls.Certificate{}, s.problem("tls.cert_file", err, "The client certificate and its key cannot be used: "+err.Error(),
			"Both are PEM, the key without a passphrase, and the key is that of the certificate.")
	}
	return pair, nil
}

func (s *settings) read(path, file string) ([]byte, error) {
	content, err := os.ReadFile(file)
	if err == nil {
		return content, nil
	}
	remedy := "Correct the path; in a cluster block it begins at the topology's directory."
	if errors.Is(err, os.ErrPermission) {
		remedy = "Let this user read it."
	}
	return nil, s.problem(path, err, s.name(path)+" cannot be read: "+err.Error(), remedy)
}
