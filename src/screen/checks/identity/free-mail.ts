/** Providers where anybody can register any name without proof: the default of the setting. */
export const FREE_MAIL_DOMAINS: readonly string[] = `
  gmail.com googlemail.com outlook.com hotmail.com hotmail.co.uk hotmail.de hotmail.fr hotmail.it hotmail.es
  live.com live.co.uk live.de live.fr live.nl msn.com outlook.de outlook.fr outlook.es outlook.jp
  yahoo.com yahoo.co.uk yahoo.co.jp yahoo.co.in yahoo.de yahoo.fr yahoo.it yahoo.es yahoo.ca yahoo.com.br ymail.com rocketmail.com
  aol.com icloud.com me.com mac.com gmx.com gmx.de gmx.net gmx.at gmx.ch web.de mail.com email.com freenet.de t-online.de
  proton.me protonmail.com pm.me tuta.com tuta.io tutanota.com tutanota.de tutamail.com posteo.de mailbox.org
  mail.ru bk.ru inbox.ru list.ru internet.ru yandex.com yandex.ru ya.ru rambler.ru
  qq.com foxmail.com 163.com 126.com yeah.net sina.com sohu.com naver.com daum.net hanmail.net
  zoho.com zohomail.com fastmail.com fastmail.fm hushmail.com mailfence.com disroot.org inbox.lv seznam.cz
  libero.it virgilio.it tiscali.it orange.fr free.fr laposte.net sfr.fr wanadoo.fr uol.com.br bol.com.br terra.com.br
  rediffmail.com mailinator.com guerrillamail.com temp-mail.org 10minutemail.com yopmail.com onionmail.org
  wp.pl o2.pl interia.pl onet.pl ukr.net i.ua abv.bg bluewin.ch telenet.be ziggo.nl kpnmail.nl
`
  .trim()
  .split(/\s+/);
