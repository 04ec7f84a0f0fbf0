if ($ExecutionContext.SessionState.LanguageMode -ne 'FullLanguage') {
  'CMCOMPLY-BLOCKED language-mode ' + $ExecutionContext.SessionState.LanguageMode; exit 5
}
$ProgressPreference = 'SilentlyContinue'
$all = @($input) -join "`n"
$parts = @{}
foreach ($m in [regex]::Matches($all, 'CMCOMPLY-(SCRIPT|DATA) (\d+) ([0-9a-f]{64})\s+([A-Za-z0-9+/=\s]+?)\s*(?=CMCOMPLY-)')) {
  $bytes = [Convert]::FromBase64String($m.Groups[4].Value)
  $hash = [BitConverter]::ToString((New-Object Security.Cryptography.SHA256CryptoServiceProvider).ComputeHash($bytes)) -replace '-', ''
  if ($hash -eq $m.Groups[3].Value -and $bytes.Length -eq [int]$m.Groups[2].Value) {
    $parts[$m.Groups[1].Value] = [Text.Encoding]::UTF8.GetString($bytes)
  }
}
if ($parts.Count -ne 2) { 'CMCOMPLY-FAILED reading-its-input ' + [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes('' + $all.Length + ' characters came, not whole')); exit 6 }
& ([ScriptBlock]::Create($parts['SCRIPT'])) ([Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($parts['DATA']))) ''
