// What is read of the registry, in the view of 64 bits unless it says otherwise. Nothing is ever written to it.
namespace Cmcomply
{
    using System;
    using Microsoft.Win32;

    internal static class Registry64
    {
        public const string Nt = @"SOFTWARE\Microsoft\Windows NT\CurrentVersion";

        public static object Read(RegistryHive hive, RegistryView view, string key, string name)
        {
            using (RegistryKey root = RegistryKey.OpenBaseKey(hive, view))
            using (RegistryKey opened = root.OpenSubKey(key, false))
            {
                return opened == null ? null : opened.GetValue(name, null, RegistryValueOptions.DoNotExpandEnvironmentNames);
            }
        }

        // The build of Windows, which newer systems tell old programs here only; 0 if it does not show.
        public static int Build()
        {
            try
            {
                int build;
                return int.TryParse(Read(RegistryHive.LocalMachine, RegistryView.Registry64, Nt, "CurrentBuildNumber") as string, out build) ? build : 0;
            }
            catch (Exception) { return 0; }
        }
    }
}
