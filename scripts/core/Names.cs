// Names, by the system's resolver: hosts file, search list, policies and cache, as the services of this machine use it.
namespace Cmcomply
{
    using System;
    using System.Collections.Generic;
    using System.Net;
    using System.Net.Sockets;
    using System.Threading;

    internal static class Names
    {
        const int MaxAddresses = 64;
        // Questions under way at once.
        static readonly Semaphore Gate = new Semaphore(32, 32);

        // All addresses of the name.
        public static List<IPAddress> Resolve(string name, int limit, RunTime run, Fields evidence)
        {
            string operation = "resolve " + name + " with the system's resolver";
            evidence.With("asked", name).With("resolver", "system").With("addresses", new List<object>());
            while (!Gate.WaitOne(100)) run.Check();
            IPAddress[] found = null;
            Exception error = null;
            // The call takes no deadline, so it has a thread of its own, which is left behind if it does not end.
            Thread asking = new Thread(delegate()
            {
                try { found = Dns.GetHostAddresses(name); }
                catch (Exception thrown) { error = thrown; }
                finally { Gate.Release(); }
            }, 256 * 1024);
            asking.IsBackground = true;
            asking.Start();
            if (!asking.Join(run.Within(limit)))
            {
                run.Check();
                throw Failure.Silence("name-timeout", operation, limit);
            }
            if (error != null) throw new Failure(CodeOf(error as SocketException), operation + ": " + error.Message);
            List<IPAddress> addresses = new List<IPAddress>();
            List<object> shown = evidence.Items("addresses");
            foreach (IPAddress address in found)
            {
                // Without the number of an interface: it is none of the name's.
                IPAddress bare = new IPAddress(address.GetAddressBytes());
                if (addresses.Count == MaxAddresses || addresses.Contains(bare)) continue;
                addresses.Add(bare);
                shown.Add(bare.ToString());
            }
            if (addresses.Count == 0) throw new Failure("name-no-data", operation + ": no address");
            return addresses;
        }

        // The name as DNS has it: labels of letters, digits, hyphens and underscores, and no number at the end. Null if it is none.
        public static string OfDns(string host)
        {
            string name = host.TrimEnd('.');
            bool ascii = true;
            foreach (char c in name) ascii &= c < 128;
            try { if (!ascii) name = new System.Globalization.IdnMapping().GetAscii(name); }
            catch (ArgumentException) { return null; }
            name = name.ToLowerInvariant();
            string[] labels = name.Split('.');
            foreach (string label in labels)
            {
                if (label.Length == 0 || label.Length > 63 || label[0] == '-' || label[label.Length - 1] == '-') return null;
                foreach (char c in label) if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_')) return null;
            }
            bool number = true;
            foreach (char c in labels[labels.Length - 1]) number &= c >= '0' && c <= '9';
            return number || name.Length > 253 ? null : name;
        }

        // Of this network, this link or this machine: nowhere that an answer of the internet may send its readers.
        public static bool IsPrivate(IPAddress address)
        {
            byte[] octets = address.GetAddressBytes();
            if (address.AddressFamily == AddressFamily.InterNetworkV6)
            {
                byte[] mapped = new byte[] { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255 };
                bool v4 = true;
                for (int i = 0; i < 12; i++) v4 &= octets[i] == mapped[i];
                if (v4) return IsPrivate(new IPAddress(new byte[] { octets[12], octets[13], octets[14], octets[15] }));
                bool local = (octets[0] & 0xfe) == 0xfc || (octets[0] == 0xfe && (octets[1] & 0xc0) == 0x80);
                return local || IPAddress.IsLoopback(address) || address.Equals(IPAddress.IPv6Any);
            }
            return octets[0] == 10 || octets[0] == 127 || octets[0] == 0 || octets[0] == 255
                || (octets[0] == 172 && (octets[1] & 0xf0) == 16) || (octets[0] == 192 && octets[1] == 168)
                || (octets[0] == 169 && octets[1] == 254) || (octets[0] == 100 && (octets[1] & 0xc0) == 64);
        }

        static string CodeOf(SocketException error)
        {
            switch (error == null ? SocketError.SocketError : error.SocketErrorCode)
            {
                case SocketError.HostNotFound: return "name-nxdomain";
                case SocketError.TryAgain:
                case SocketError.NoRecovery: return "name-servfail";
                case SocketError.NoData: return "name-no-data";
                case SocketError.TooManyOpenSockets:
                case SocketError.NoBufferSpaceAvailable: return "internal";
                default: return "name-error";
            }
        }
    }
}
