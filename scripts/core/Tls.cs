// The TLS handshake, by this machine's own stack. It records the certificates and what the stack says of them; nothing
// is sent over a session that was not judged to be good.
namespace Cmcomply
{
    using System;
    using System.Collections.Generic;
    using System.IO;
    using System.Net.Security;
    using System.Net.Sockets;
    using System.Security.Authentication;
    using System.Security.Cryptography.X509Certificates;

    // What a handshake showed.
    internal sealed class Session
    {
        public SslStream Stream;
        // Subject, issuer and all else are read elsewhere, from these octets.
        public readonly List<byte[]> Served = new List<byte[]>();
        // The chain that this machine built.
        public readonly List<byte[]> Built = new List<byte[]>();
        public SslPolicyErrors Errors = SslPolicyErrors.RemoteCertificateNotAvailable;
        public readonly List<string> Status = new List<string>();
        public string Version;
        public string Suite;

        const int MaxCertificates = 16;
        const int MaxBytes = 256 * 1024;

        public static Session Open(Socket socket, string host, string address, int limit, RunTime run, Session seen)
        {
            string operation = "TLS handshake with " + host + " at " + address;
            Records records = new Records(new NetworkStream(socket, false));
            using (Deadline deadline = new Deadline(socket, limit, run))
            {
                try
                {
                    seen.Stream = new SslStream(records, false, seen.Look);
                    seen.Stream.AuthenticateAsClient(host, null, Protocols(), false);
                }
                catch (Exception error)
                {
                    if (deadline.Passed) throw Failure.Silence("tls-timeout", operation, limit);
                    throw records.Explain(operation, error);
                }
            }
            seen.Version = VersionName((int)seen.Stream.SslProtocol);
            // Only newer frameworks tell.
            System.Reflection.PropertyInfo suite = typeof(SslStream).GetProperty("NegotiatedCipherSuite");
            if (suite != null) seen.Suite = suite.GetValue(seen.Stream, null).ToString();
            return seen;
        }

        public Fields Evidence()
        {
            List<object> chain = new List<object>();
            foreach (byte[] certificate in Served) chain.Add(Convert.ToBase64String(certificate));
            return new Fields().With("version", Version).With("suite", Suite).With("served", chain);
        }

        // The last of the chain that this machine built: the root, if it found one.
        byte[] Root { get { return Built.Count == 0 ? null : Built[Built.Count - 1]; } }

        // What this machine says of the chain. It is translated elsewhere.
        public Fields Judgement()
        {
            List<object> status = new List<object>();
            foreach (string one in Status) status.Add(one);
            return new Fields().With("name_mismatch", (Errors & SslPolicyErrors.RemoteCertificateNameMismatch) != 0)
                .With("chain_errors", (Errors & SslPolicyErrors.RemoteCertificateChainErrors) != 0)
                .With("no_certificate", (Errors & SslPolicyErrors.RemoteCertificateNotAvailable) != 0)
                .With("status", status)
                .With("root", Root == null ? null : Convert.ToBase64String(Root));
        }

        bool Look(object sender, X509Certificate certificate, X509Chain chain, SslPolicyErrors errors)
        {
            Errors = errors;
            if (certificate == null) return true;
            int room = MaxBytes;
            Keep(certificate.GetRawCertData(), ref room);
            if (chain == null) return true;
            // What the server sent besides its own.
            foreach (X509Certificate2 sent in chain.ChainPolicy.ExtraStore) Keep(sent.RawData, ref room);
            foreach (X509ChainStatus status in chain.ChainStatus)
            {
                string name = status.Status.ToString();
                if (Status.Count < 16 && !Status.Contains(name)) Status.Add(name);
            }
            foreach (X509ChainElement element in chain.ChainElements) if (Built.Count < MaxCertificates) Built.Add(element.Certificate.RawData);
            return true;
        }

        void Keep(byte[] certificate, ref int room)
        {
            if (Served.Count == MaxCertificates || certificate.Length > room) return;
            foreach (byte[] kept in Served) if (Convert.ToBase64String(kept) == Convert.ToBase64String(certificate)) return;
            room -= certificate.Length;
            Served.Add(certificate);
        }

        // TLS 1.2, and 1.3 where the system has it: elsewhere, asking for it is an error.
        static SslProtocols Protocols()
        {
            Version system = Environment.OSVersion.Version;
            bool windows = Environment.OSVersion.Platform == PlatformID.Win32NT;
            bool has13 = windows && (system.Build >= 20348 || Registry64.Build() >= 20348);
            return (SslProtocols)(has13 ? 12288 | 3072 : 3072);
        }

        static string VersionName(int number)
        {
            switch (number)
            {
                case 192: return "TLSv1.0";
                case 768: return "TLSv1.1";
                case 3072: return "TLSv1.2";
                case 12288: return "TLSv1.3";
                default: return "unknown (" + number + ")";
            }
        }
    }

    // Looks at the TLS records that come in: systems and frameworks differ in what they say of a handshake that fails,
    // and the octets do not.
    internal sealed class Records : Stream
    {
        readonly Stream inner;
        readonly byte[] head = new byte[7];
        int have;
        int skip;
        bool noTls;
        bool ended;
        bool anything;
        int alert = -1;
        SocketException cut;

        public Records(Stream inner) { this.inner = inner; }

        public Failure Explain(string operation, Exception error)
        {
            string words = error.InnerException == null ? error.Message : error.InnerException.Message;
            if (alert >= 0) return new Failure("tls-alert", operation + ": alert " + AlertName(alert) + " received");
            if (noTls) return new Failure("tls-protocol", operation + ": what came is no TLS");
            if (cut != null) return new Failure("tls-reset", operation + ": " + Attempt.WordsOf(cut));
            if (ended) return new Failure("tls-reset", operation + ": connection closed");
            return new Failure("tls-protocol", operation + ": " + error.GetType().Name + ": " + words);
        }

        public override int Read(byte[] buffer, int offset, int count)
        {
            int length;
            try { length = inner.Read(buffer, offset, count); }
            catch (IOException error)
            {
                cut = cut ?? error.InnerException as SocketException;
                throw;
            }
            if (length == 0) ended = true;
            for (int i = offset; i < offset + length; i++) Look(buffer[i]);
            return length;
        }

        public override void Write(byte[] buffer, int offset, int count)
        {
            try { inner.Write(buffer, offset, count); }
            catch (IOException error)
            {
                cut = cut ?? error.InnerException as SocketException;
                throw;
            }
        }

        // Kind, version (2 octets), length (2 octets), and the data, of which only an alert in clear is looked at.
        void Look(byte octet)
        {
            anything = true;
            if (skip > 0 || noTls) { skip = Math.Max(0, skip - 1); return; }
            head[have++] = octet;
            if (have == 1 && (octet < 20 || octet > 23)) noTls = true;
            if (have == 2 && octet != 3) noTls = true;
            if (have < 5) return;
            int length = head[3] << 8 | head[4];
            bool inClear = head[0] == 21 && length == 2;
            if (inClear && have < 7) return;
            // Level 1 is a warning.
            if (inClear && head[5] == 2) alert = head[6];
            skip = inClear ? 0 : length;
            have = 0;
        }

        static string AlertName(int number)
        {
            switch (number)
            {
                case 10: return "UnexpectedMessage";
                case 40: return "HandshakeFailure";
                case 42: return "BadCertificate";
                case 47: return "IllegalParameter";
                case 48: return "UnknownCA";
                case 49: return "AccessDenied";
                case 50: return "DecodeError";
                case 51: return "DecryptError";
                case 70: return "ProtocolVersion";
                case 71: return "InsufficientSecurity";
                case 80: return "InternalError";
                case 112: return "UnrecognisedName";
                case 116: return "CertificateRequired";
                case 120: return "NoApplicationProtocol";
                default: return number.ToString();
            }
        }

        public bool Anything { get { return anything; } }
        public override bool CanRead { get { return true; } }
        public override bool CanWrite { get { return true; } }
        public override bool CanSeek { get { return false; } }
        public override bool CanTimeout { get { return inner.CanTimeout; } }
        public override int ReadTimeout { get { return inner.ReadTimeout; } set { inner.ReadTimeout = value; } }
        public override int WriteTimeout { get { return inner.WriteTimeout; } set { inner.WriteTimeout = value; } }
        public override long Length { get { throw new NotSupportedException(); } }
        public override long Position { get { throw new NotSupportedException(); } set { throw new NotSupportedException(); } }
        public override long Seek(long offset, SeekOrigin origin) { throw new NotSupportedException(); }
        public override void SetLength(long value) { throw new NotSupportedException(); }
        public override void Flush() { inner.Flush(); }
        protected override void Dispose(bool disposing) { if (disposing) inner.Dispose(); base.Dispose(disposing); }
    }
}
