package dev.hostshare.test.system;

import java.nio.file.Path;

/** A certificate authority made for one test by openssl(1), and what it signed. PEM files. */
public final class Certificates {
  private final Path folder;

  private Certificates(Path folder) {
    this.folder = folder;
  }

  /** Makes a new authority in this folder. */
  public static Certificates authority(Path folder) {
    var certificates = new Certificates(folder);
    certificates.openssl(
        """
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
          -subj /CN=test-ca -keyout ca.key -out ca.pem
        """);
    return certificates;
  }

  /** Signs a certificate for these names, as {@code subjectAltName} has them; for both sides. */
  public void sign(String name, String alternativeNames) {
    openssl(
        """
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=%1$s \
          -keyout %1$s.key -out %1$s.csr
        printf 'subjectAltName=%2$s\\nextendedKeyUsage=serverAuth,clientAuth\\n' > %1$s.ext
        openssl x509 -req -in %1$s.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
          -extfile %1$s.ext -out %1$s.pem
        chmod 644 %1$s.key
        """
            .formatted(name, alternativeNames));
  }

  private void openssl(String script) {
    Command.run(
            "bash", "-euc", "mkdir -p %1$s; chmod 755 %1$s; cd %1$s\n".formatted(folder) + script)
        .expectSuccess();
  }

  public Path ca() {
    return folder.resolve("ca.pem");
  }

  public Path certificate(String name) {
    return folder.resolve(name + ".pem");
  }

  public Path key(String name) {
    return folder.resolve(name + ".key");
  }

  /** The three options of either program. */
  public String[] options(String name) {
    return new String[] {
      "--tls-cert", certificate(name).toString(),
      "--tls-key", key(name).toString(),
      "--tls-ca", ca().toString()
    };
  }
}
