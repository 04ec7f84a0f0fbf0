// What a client saw, as one short line: of what a script of Configuration Manager says, the site keeps 4,000 characters.
// Each probe has two characters, in the order of the plan. What they mean is said by cmcomply, which gave the names of the
// failures their two characters too.
namespace Cmcomply
{
    using System;
    using System.Collections.Generic;
    using System.Globalization;
    using System.Security.Cryptography;
    using System.Security.Cryptography.X509Certificates;
    using System.Text;

    public static class Brief
    {
        const string Name = "CMCOMPLY-CLIENT/1";
        const int MaxLine = 3500;
        // The hash at the end, and the blank before it.
        const int HashLength = 17;

        // `data` holds the plan and what is asked besides. The line: its name, the plan, the time, whether SYSTEM looked, how
        // many probes there are, how many of them are left out at the end, the rest, and a hash of all that.
        public static string Run(string data, bool system)
        {
            Fields given = JsonReader.Read(data);
            Bounds bounds = Runner.BoundsOf(given.Object("bounds"), given.Text("agent"));
            RunTime run = new RunTime(given.Object("bounds").Number("deadline_ms"));
            List<Fields> plans = new List<Fields>();
            foreach (object plan in given.Items("probes")) plans.Add((Fields)plan);
            List<Probe> probes = Runner.RunAll(plans, bounds, run);
            Marks marks = new Marks(given);
            StringBuilder all = new StringBuilder();
            foreach (Probe probe in probes) all.Append(marks.Of(probe));

            string now = DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
            string head = Name + " " + given.Text("plan") + " " + now + (system ? " SYSTEM " : " other ") + probes.Count + " ";
            // What has no room is left out, and the line says how many those are.
            int room = (MaxLine - HashLength - head.Length - 8) / 2;
            int left = Math.Max(0, probes.Count - room);
            string line = head + left + " " + all.ToString(0, 2 * (probes.Count - left));
            return line + " " + Digest.Of(line).Substring(0, HashLength - 1);
        }
    }

    // Two characters for what a probe came to.
    internal sealed class Marks
    {
        // Reached; the letters after that say what is to be judged elsewhere.
        const string Reached = "ok";
        const string OtherRoot = "pr";
        const string Page = "dp";
        const string OtherRootPage = "px";
        const string NotSeen = "--";
        readonly Fields codes;
        readonly HashSet<string> roots = new HashSet<string>();

        public Marks(Fields given)
        {
            codes = given.Object("codes");
            foreach (object root in given.Items("roots")) roots.Add((string)root);
        }

        public string Of(Probe probe)
        {
            if (!probe.Whole) return NotSeen;
            Fields failed = probe.FirstFailure();
            if (failed != null)
            {
                string code = failed.Object("failure").Text("code");
                if (failed.Text("stage") == "trust") code = Fault(probe.Shaken);
                return codes.Text(code) ?? NotSeen;
            }
            if (probe.Answered == null) return NotSeen;
            bool known = probe.Secure && IsPublic(probe.Shaken);
            // Who holds the key of a public certificate is the endpoint itself, whatever its page looks like.
            bool page = !known && IsDoubtful(probe);
            if (probe.Secure && !known) return page ? OtherRootPage : OtherRoot;
            return page ? Page : Reached;
        }

        // What this machine does not like about a chain.
        static string Fault(Session session)
        {
            const System.Net.Security.SslPolicyErrors Name = System.Net.Security.SslPolicyErrors.RemoteCertificateNameMismatch;
            if (session.Errors == Name) return "certificate-wrong-name";
            if (session.Status.Contains("NotTimeValid")) return "certificate-expired";
            bool stranger = session.Status.Contains("UntrustedRoot") || session.Status.Contains("PartialChain");
            return stranger ? "certificate-untrusted" : "certificate-invalid";
        }

        // Whether the chain that this machine built and trusts leads to a root that the public trusts: such a root, or one
        // of its keys on the way to another root.
        bool IsPublic(Session session)
        {
            foreach (byte[] certificate in session.Built)
            {
                if (roots.Contains(KeyHash(certificate)) || roots.Contains(new X509Certificate2(certificate).Thumbprint.ToLowerInvariant())) return true;
            }
            return false;
        }

        // Whether the answer may be that of a filter or a proxy: a page, or a redirect to somebody else. Nobody looks at it
        // here.
        static bool IsDoubtful(Probe probe)
        {
            Answer answer = probe.Answered;
            int status = answer.Status;
            if (probe.ByProxy && status >= 400) return true;
            if (status >= 300 && status <= 399)
            {
                Uri to;
                string location = answer.Header("location");
                bool elsewhere = location != null && Uri.TryCreate(location.Trim(), UriKind.Absolute, out to) && !string.Equals(to.Host, probe.Host, StringComparison.OrdinalIgnoreCase);
                return elsewhere;
            }
            bool shown = (status >= 200 && status <= 299 && status != 204) || status == 403 || status == 500 || status == 503 || status == 504;
            return shown && answer.IsHtml;
        }

        // The first 12 octets of the SHA-256 of a certificate's key, in Base64; of what is no certificate, nothing.
        static string KeyHash(byte[] certificate)
        {
            try
            {
                int at = 0;
                Length(certificate, ref at); // the certificate
                Length(certificate, ref at); // what is signed of it
                if (certificate[at] == 0xa0) Skip(certificate, ref at); // its version
                for (int i = 0; i < 5; i++) Skip(certificate, ref at); // number, algorithm, issuer, validity, subject
                int length = Length(certificate, ref at);
                using (SHA256 hash = new SHA256CryptoServiceProvider())
                {
                    return Convert.ToBase64String(hash.ComputeHash(certificate, at, length), 0, 12);
                }
            }
            catch (SystemException) { return ""; }
        }

        // Steps over the tag and the length of a value (DER), and gives the length.
        static int Length(byte[] der, ref int at)
        {
            int length = der[at + 1];
            at += 2;
            if (length < 128) return length;
            int octets = length & 127;
            length = 0;
            for (int i = 0; i < octets; i++) length = length * 256 + der[at++];
            return length;
        }

        static void Skip(byte[] der, ref int at)
        {
            int length = Length(der, ref at);
            at += length;
        }
    }
}
