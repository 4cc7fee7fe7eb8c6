"""Certificates made by openssl for one test: authorities, and what they sign."""
import ssl
import subprocess

CONFIG = """[ca]
default_ca = here
[here]
database = {dir}/index.txt
new_certs_dir = {dir}
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
"""


def _openssl(*args):
    done = subprocess.run(["openssl", *map(str, args)], text=True, check=False,
                          stdin=subprocess.DEVNULL, capture_output=True)
    if done.returncode != 0:
        raise AssertionError(f"openssl {args[0]}: {done.stderr}")


class Authority:
    """A certificate authority in a directory of its own."""

    def __init__(self, directory, name="authority"):
        self.dir = directory
        self.dir.mkdir()
        self.crt, self.key = self.dir / "ca.crt", self.dir / "ca.key"
        (self.dir / "index.txt").touch()
        (self.dir / "ca.cnf").write_text(CONFIG.format(dir=self.dir))
        _openssl("req", "-x509", *self._new_key(self.key), "-out", self.crt, "-days", 2,
                 "-subj", f"/CN={name}")

    @staticmethod
    def _new_key(path):
        return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", path)

    def sign(self, name, since="20200101000000Z", until="20400101000000Z", file=None):
        """NAME.crt and NAME.key in our directory; returns both paths."""
        crt, key, csr = (self.dir / f"{file or name}.{x}" for x in ("crt", "key", "csr"))
        _openssl("req", *self._new_key(key), "-out", csr, "-subj", f"/CN={name}")
        _openssl("ca", "-batch", "-notext", "-config", self.dir / "ca.cnf", "-cert", self.crt,
                 "-keyfile", self.key, "-in", csr, "-out", crt, "-startdate", since,
                 "-enddate", until)
        return crt, key

    def context(self, pair=None):
        """For a peer made of Python, with this certificate or without any."""
        c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        c.check_hostname = False
        c.load_verify_locations(self.crt)
        if pair:
            c.load_cert_chain(*pair)
        return c


def directives(authority, pair):
    return {"tls-ca-cert-file": authority.crt, "tls-cert-file": pair[0], "tls-key-file": pair[1]}
