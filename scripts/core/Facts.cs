// Facts of this machine that decide what its services can do: TLS settings, proxies, roots, versions. Each is known,
// absent, or unreadable with the reason. Nothing is changed.
namespace Cmcomply
{
    using System;
    using System.Collections.Generic;
    using System.Diagnostics;
    using System.Net.NetworkInformation;
    using System.Security.Cryptography.X509Certificates;
    using System.Security.Principal;
    using Microsoft.Win32;

    internal sealed class Facts
    {
        const string Schannel = @"SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\";
        const string Internet = @"Software\Microsoft\Windows\CurrentVersion\Internet Settings";
        const string Policies = @"SOFTWARE\Policies\Microsoft\";
        const int MaxText = 2000;
        readonly Fields all = new Fields();

        public static Fields Read(List<object> roots, string shell, string mode)
        {
            Facts facts = new Facts();
            facts.Machine(shell, mode);
            facts.Tls();
            facts.Versions();
            facts.Proxies();
            facts.Roots(roots);
            return facts.all;
        }

        // The name in DNS: that of NetBIOS has 15 characters at most.
        public static string MachineName()
        {
            try
            {
                string name = IPGlobalProperties.GetIPGlobalProperties().HostName;
                return string.IsNullOrEmpty(name) ? Environment.MachineName : name;
            }
            catch (Exception) { return Environment.MachineName; }
        }

        void Machine(string shell, string mode)
        {
            Add("machine.name", delegate { return MachineName(); });
            Add("machine.domain", delegate { return Text(IPGlobalProperties.GetIPGlobalProperties().DomainName); });
            Add("account.name", delegate { return WindowsIdentity.GetCurrent().Name; });
            Add("account.sid", delegate { return WindowsIdentity.GetCurrent().User.Value; });
            Add("account.is_system", delegate { return YesNo(WindowsIdentity.GetCurrent().IsSystem); });
            Add("account.is_administrator", delegate
            {
                return YesNo(new WindowsPrincipal(WindowsIdentity.GetCurrent()).IsInRole(WindowsBuiltInRole.Administrator));
            });
            Add("powershell.version", delegate { return Text(shell); });
            Add("powershell.language_mode", delegate { return Text(mode); });
            Add("clr.version", delegate { return Environment.Version.ToString(); });
            Add("process.bits", delegate { return (IntPtr.Size * 8).ToString(); });
        }

        void Tls()
        {
            foreach (string version in new string[] { "SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3" })
            {
                foreach (string side in new string[] { "Client", "Server" })
                {
                    string key = Schannel + @"Protocols\" + version + @"\" + side;
                    string id = "schannel." + version.ToLowerInvariant().Replace(" ", "") + "." + side.ToLowerInvariant();
                    Value(id + ".enabled", key, "Enabled");
                    Value(id + ".disabled_by_default", key, "DisabledByDefault");
                }
            }
            foreach (string exchange in new string[] { "ECDH", "Diffie-Hellman", "PKCS" })
            {
                Value("schannel.key_exchange." + exchange.ToLowerInvariant() + ".enabled", Schannel + @"KeyExchangeAlgorithms\" + exchange, "Enabled");
            }
            Value("schannel.suites.policy", Policies + @"Cryptography\Configuration\SSL\00010002", "Functions");
            Value("schannel.suites.local", @"SYSTEM\CurrentControlSet\Control\Cryptography\Configuration\Local\SSL\00010002", "Functions");
            Value("fips.enabled", @"SYSTEM\CurrentControlSet\Control\Lsa\FipsAlgorithmPolicy", "Enabled");
            foreach (RegistryView view in new RegistryView[] { RegistryView.Registry64, RegistryView.Registry32 })
            {
                string bits = view == RegistryView.Registry64 ? "64" : "32";
                foreach (string version in new string[] { "v2.0.50727", "v4.0.30319" })
                {
                    string key = @"SOFTWARE\Microsoft\.NETFramework\" + version, id = "dotnet." + version.Substring(0, 2) + "." + bits;
                    Value(id + ".strong_crypto", key, "SchUseStrongCrypto", RegistryHive.LocalMachine, view);
                    Value(id + ".system_default_tls", key, "SystemDefaultTlsVersions", RegistryHive.LocalMachine, view);
                }
                Value("winhttp." + bits + ".secure_protocols", Internet + @"\WinHttp", "DefaultSecureProtocols", RegistryHive.LocalMachine, view);
            }
        }

        void Versions()
        {
            Value("os.build", Registry64.Nt, "CurrentBuildNumber");
            Value("os.revision", Registry64.Nt, "UBR");
            Value("os.product", Registry64.Nt, "ProductName");
            Value("os.installation", Registry64.Nt, "InstallationType");
            Value("dotnet.release", @"SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full", "Release");
            foreach (string driver in new string[] { "ODBC Driver 17 for SQL Server", "ODBC Driver 18 for SQL Server", "SQL Server Native Client 11.0" })
            {
                string id = driver.StartsWith("ODBC") ? "odbc.driver" + driver.Substring(12, 2) : "sql.native_client11";
                Add(id + ".version", delegate
                {
                    string file = Registry64.Read(RegistryHive.LocalMachine, RegistryView.Registry64, @"SOFTWARE\ODBC\ODBCINST.INI\" + driver, "Driver") as string;
                    return file == null ? null : Text(FileVersionInfo.GetVersionInfo(Environment.ExpandEnvironmentVariables(file)).ProductVersion);
                });
            }
        }

        void Proxies()
        {
            Add("proxy.winhttp", delegate { return WinHttp(Registry64.Read(RegistryHive.LocalMachine, RegistryView.Registry64, @"SOFTWARE\Microsoft\Windows\CurrentVersion\Internet Settings\Connections", "WinHttpSettings") as byte[]); });
            Value("proxy.per_user", Policies + @"Windows\CurrentVersion\Internet Settings", "ProxySettingsPerUser");
            string[][] whose = { new string[] { "system", @"S-1-5-18\" }, new string[] { "default", @".DEFAULT\" }, new string[] { "user", null }, new string[] { "machine", "" } };
            foreach (string[] one in whose)
            {
                RegistryHive hive = one[1] == null ? RegistryHive.CurrentUser : one[1] == "" ? RegistryHive.LocalMachine : RegistryHive.Users;
                string key = (one[1] ?? "") + Internet, id = "proxy.wininet." + one[0];
                Value(id + ".enabled", key, "ProxyEnable", hive, RegistryView.Registry64);
                Value(id + ".server", key, "ProxyServer", hive, RegistryView.Registry64);
                Value(id + ".bypass", key, "ProxyOverride", hive, RegistryView.Registry64);
                Value(id + ".script", key, "AutoConfigURL", hive, RegistryView.Registry64);
                AddList(id + ".ways", delegate { return Ways(Registry64.Read(hive, RegistryView.Registry64, key + @"\Connections", "DefaultConnectionSettings") as byte[]); });
            }
        }

        // Which of the roots that the endpoints lead to are here.
        void Roots(List<object> wanted)
        {
            Value("roots.auto_update_disabled", Policies + @"SystemCertificates\AuthRoot", "DisableRootAutoUpdate");
            foreach (StoreName place in new StoreName[] { StoreName.Root, StoreName.AuthRoot, StoreName.Disallowed })
            {
                AddList("roots." + place.ToString().ToLowerInvariant(), delegate
                {
                    List<object> found = new List<object>();
                    X509Store store = new X509Store(place, StoreLocation.LocalMachine);
                    store.Open(OpenFlags.ReadOnly | OpenFlags.OpenExistingOnly);
                    foreach (X509Certificate2 certificate in store.Certificates)
                    {
                        string thumbprint = certificate.Thumbprint.ToLowerInvariant();
                        if (wanted.Contains(thumbprint) && !found.Contains(thumbprint)) found.Add(thumbprint);
                    }
                    store.Close();
                    return found;
                });
            }
        }

        // Which ways the settings of a connection name: a set of flags, which only this value has.
        static List<object> Ways(byte[] settings)
        {
            if (settings == null) return null;
            if (settings.Length < 12) throw new FormatException("settings of " + settings.Length + " bytes");
            string[] names = { "direct", "proxy", "script", "auto_detect" };
            List<object> ways = new List<object>();
            for (int i = 0; i < names.Length; i++) if ((settings[8] & 1 << i) != 0) ways.Add(names[i]);
            return ways;
        }

        // The layout that every WinHTTP has written: version, counter, flags, and two texts with their length.
        static string WinHttp(byte[] settings)
        {
            if (settings == null) return null;
            if (settings.Length < 16) throw new FormatException("settings of " + settings.Length + " bytes");
            if ((BitConverter.ToInt32(settings, 8) & 2) == 0) return "direct";
            int length = BitConverter.ToInt32(settings, 12);
            if (length < 0 || length > settings.Length - 16) throw new FormatException("settings that are not understood");
            string proxy = System.Text.Encoding.ASCII.GetString(settings, 16, length);
            int next = 16 + length;
            int more = next + 4 > settings.Length ? 0 : BitConverter.ToInt32(settings, next);
            if (more <= 0 || more > settings.Length - next - 4) return proxy;
            return proxy + " bypass " + System.Text.Encoding.ASCII.GetString(settings, next + 4, more);
        }

        void Value(string id, string key, string name) { Value(id, key, name, RegistryHive.LocalMachine, RegistryView.Registry64); }

        void Value(string id, string key, string name, RegistryHive hive, RegistryView view)
        {
            AddList(id, delegate
            {
                object value = Registry64.Read(hive, view, key, name);
                if (value == null) return null;
                List<object> texts = new List<object>();
                string[] several = value as string[] ?? new string[] { value is byte[] ? BitConverter.ToString((byte[])value) : Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture) };
                foreach (string text in several) if (texts.Count < 200) texts.Add(text.Length > MaxText ? text.Substring(0, MaxText) : text);
                return texts;
            });
        }

        void Add(string id, Func<string> read)
        {
            AddList(id, delegate
            {
                string text = read();
                if (text == null) return null;
                List<object> one = new List<object>();
                one.Add(text.Length > MaxText ? text.Substring(0, MaxText) : text);
                return one;
            });
        }

        void AddList(string id, Func<List<object>> read)
        {
            Fields fact = new Fields();
            try
            {
                List<object> values = read();
                if (values == null) fact["state"] = "absent";
                else fact.With("state", "known").With("values", values);
            }
            catch (Exception error) { fact.With("state", "unreadable").With("why", error.GetType().Name + ": " + Failure.Cut(error.Message)); }
            all[id] = fact;
        }

        static string Text(string text) { return string.IsNullOrEmpty(text) ? null : text; }

        static string YesNo(bool yes) { return yes ? "1" : "0"; }
    }
}
