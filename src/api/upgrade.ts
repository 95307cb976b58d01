/** True when `upgrade` names one of the two framings of `/v1/attach`. */
export function isAttachProtocol(upgrade: string | undefined): boolean {
  const name = upgrade?.toLowerCase()
  return name === 'easynet' || name === 'websocket'
}
